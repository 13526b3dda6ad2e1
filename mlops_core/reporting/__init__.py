"""What people read: the living comment, answers, history records, plots and the report."""
