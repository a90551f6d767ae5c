// Goes on as soon as every application has heard; the page does so anyway after three seconds.
"use strict";
const onward = document.getElementById("logout-continue");
if (onward && document.readyState === "complete") {
  location.replace(onward.href);
} else if (onward) {
  window.addEventListener("load", () => location.replace(onward.href));
}
