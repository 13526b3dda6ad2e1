// Replaces #live with its fresh version while the page says so; everything a person is typing in lies outside of it.
(function () {
  "use strict";
  function every() {
    var live = document.getElementById("live");
    return live ? Number(live.dataset.every) : 0;
  }
  function again() {
    var pause = every();
    if (pause) window.setTimeout(refresh, pause);
  }
  function refresh() {
    if (document.hidden) return again();
    fetch(location.href, { credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        var fresh = text && new DOMParser().parseFromString(text, "text/html").getElementById("live");
        var live = document.getElementById("live");
        if (fresh && fresh.outerHTML !== live.outerHTML) {
          var open = {};
          live.querySelectorAll("details").forEach(function (item, place) { open[place] = item.open; });
          live.replaceWith(document.adoptNode(fresh));
          fresh.querySelectorAll("details").forEach(function (item, place) { if (place in open) item.open = open[place]; });
        }
      })
      .catch(function () {})
      .finally(again);
  }
  again();
})();
