"""The tables of the local GitHub; every id is an integer that is never used twice."""

SCHEMA = """
create table if not exists people (
  id integer primary key autoincrement, login text not null unique collate nocase, name text not null, type text not null,
  created_at text not null);
create table if not exists tokens (
  id integer primary key autoincrement, digest text not null unique, kind text not null, login text not null,
  permissions text, repositories text, run integer, expires_at text, created_at text not null);
create table if not exists sessions (
  digest text primary key, login text, csrf text not null, created_at text not null);
create table if not exists repositories (
  id integer primary key autoincrement, owner text not null collate nocase, name text not null collate nocase, private integer not null,
  description text not null, default_branch text not null, created_at text not null, pushed_at text not null, unique (owner, name));
create table if not exists collaborators (
  repository integer not null references repositories, login text not null collate nocase, role text not null,
  primary key (repository, login));
create table if not exists protections (
  repository integer not null references repositories, branch text not null, allowed text not null, primary key (repository, branch));
create table if not exists settings (
  repository integer not null references repositories, kind text not null, name text not null, value text not null,
  primary key (repository, kind, name));
create table if not exists labels (
  id integer primary key autoincrement, repository integer not null references repositories, name text not null collate nocase,
  color text not null, description text not null, unique (repository, name));
create table if not exists issues (
  id integer primary key autoincrement, repository integer not null references repositories, number integer not null,
  pull integer not null, title text not null, body text, author text not null, state text not null, state_reason text,
  locked integer not null default 0, lock_reason text, created_at text not null, updated_at text not null, closed_at text, closed_by text,
  last_edited_at text, editor text, deleted integer not null default 0, unique (repository, number));
create table if not exists issue_labels (
  issue integer not null references issues, label integer not null references labels on delete cascade, primary key (issue, label));
create table if not exists assignees (issue integer not null references issues, login text not null, primary key (issue, login));
create table if not exists comments (
  id integer primary key autoincrement, issue integer not null references issues, body text not null, author text not null,
  created_at text not null, updated_at text not null, last_edited_at text, editor text);
create table if not exists issue_events (
  id integer primary key autoincrement, issue integer not null references issues, event text not null, actor text not null,
  created_at text not null, data text not null);
create table if not exists edits (
  id integer primary key autoincrement, issue integer not null references issues, editor text not null, edited_at text not null,
  body text not null);
create table if not exists pulls (
  issue integer primary key references issues, head_ref text not null, base_ref text not null, head_sha text not null,
  base_sha text not null, draft integer not null default 0, merged_at text, merged_by text, merge_sha text);
create table if not exists reviews (
  id integer primary key autoincrement, issue integer not null references issues, author text not null, state text not null,
  body text not null, commit_id text not null, submitted_at text not null);
create table if not exists events (
  id integer primary key autoincrement, repository integer not null, event text not null, action text, actor text not null,
  payload text not null, created_at text not null);
create table if not exists hooks (
  id integer primary key autoincrement, repository integer not null references repositories, url text not null, secret text not null,
  events text not null, active integer not null default 1, created_at text not null);
create table if not exists deliveries (
  id integer primary key autoincrement, hook integer not null, guid text not null, event text not null, action text,
  payload text not null, state text not null, attempts integer not null default 0, next_at real not null default 0,
  redelivery integer not null default 0, status integer, answer text, duration real, delivered_at text not null);
create table if not exists apps (
  id integer primary key, slug text not null, name text not null, public_key text not null, permissions text not null,
  created_at text not null);
create table if not exists installations (
  id integer primary key, app integer not null references apps, account text not null, repositories text not null);
create table if not exists runs (
  id integer primary key autoincrement, repository integer not null, path text not null, name text not null, number integer not null,
  event text not null, actor text not null, status text not null, conclusion text, ref text not null, sha text not null,
  title text not null, payload text not null, inputs text not null, reason text not null default '', permissions text not null default '{}',
  job_workflow_ref text not null default '', created_at text not null, started_at text, updated_at text not null);
create table if not exists inbox (
  id integer primary key autoincrement, chat text not null, message text not null, received_at text not null);
create index if not exists deliveries_pending on deliveries (id) where state = 'pending';
create index if not exists deliveries_of_hook on deliveries (hook, id);
create index if not exists runs_unfinished on runs (repository, id) where status != 'completed';
create index if not exists runs_queued on runs (id) where status = 'queued';
create index if not exists runs_of_workflow on runs (repository, path);
create index if not exists comments_of_issue on comments (issue, id);
create index if not exists events_of_issue on issue_events (issue, id);
create index if not exists edits_of_issue on edits (issue, id);
create index if not exists events_of_repository on events (repository, id);
insert or ignore into sqlite_sequence (name, seq) select 'people', 1000
  where not exists (select 1 from sqlite_sequence where name = 'people');
insert or ignore into sqlite_sequence (name, seq) select 'repositories', 700000
  where not exists (select 1 from sqlite_sequence where name = 'repositories');
insert or ignore into sqlite_sequence (name, seq) select 'runs', 9000000
  where not exists (select 1 from sqlite_sequence where name = 'runs');
"""
