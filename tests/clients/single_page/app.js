// A single-page application on oidc-client-ts; every address of it is this page.
const settings = await (await fetch("/settings.json")).json();
window.told = [];
window.manager = new oidc.UserManager({
  ...settings,
  monitorSession: settings.monitorSession && self === top,
});
manager.events.addUserSignedOut(() => told.push("signed out"));
manager.events.addUserSessionChanged(() => told.push("session changed"));
if (location.pathname === "/callback") {
  await manager.signinCallback();
} else if (location.pathname === "/signed-out") {
  window.answer = await manager.signoutCallback();
}
document.title = "Ready";
