// The answer goes to whoever opened or framed this page, if it is of the registered origin.
const { origin, answer } = document.getElementById("web-message").dataset;
const target = window.opener || (window.parent !== window ? window.parent : null);
if (target) {
  target.postMessage({ type: "authorization_response", response: JSON.parse(answer) }, origin);
}
