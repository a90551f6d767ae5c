// OpenID Connect Session Management 1.0, section 3.2: "client_id session_state" is answered
// with "unchanged", "changed" or "error".
"use strict";
const cookie = document.currentScript.dataset.cookie + "=";

function browserState() {
  const found = document.cookie.split("; ").find((part) => part.startsWith(cookie));
  return found ? found.slice(cookie.length) : "";
}

async function answer(message, origin) {
  const parts = typeof message === "string" ? message.split(" ") : [];
  const salt = parts.length === 2 ? parts[1].split(".")[1] : "";
  if (!parts[0] || !salt) {
    return "error";
  }
  const text = `${parts[0]} ${origin} ${browserState()} ${salt}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const bytes = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.join("")}.${salt}` === parts[1] ? "unchanged" : "changed";
}

window.addEventListener("message", async (event) => {
  if (event.source && event.origin !== "null") {
    event.source.postMessage(await answer(event.data, event.origin), event.origin);
  }
});
