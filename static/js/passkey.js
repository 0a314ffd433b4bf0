// Passkeys: sign in or make one with the device's own lock. Without support the buttons stay hidden, and the password serves.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// Words are the site's own, to be shown as they are; a browser's are in its own language and for programmers.
class Words extends Error {}

async function post(address, more) {
  const answer = await fetch(address, { method: "POST", ...more });
  if (answer.ok && !answer.redirected) return answer;
  throw answer.headers.get("Content-Type")?.startsWith("text/plain") ? new Words(await answer.text()) : new Error("no words");
}

// ask gets what the device shall sign, in the form that it wants.
async function ask(address, body) {
  const { publicKey } = await (await post(address, { body })).json();
  publicKey.challenge = bytes(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
  for (const list of [publicKey.excludeCredentials, publicKey.allowCredentials]) for (const key of list ?? []) key.id = bytes(key.id);
  return { publicKey };
}

function said(key) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) if (key.response[part]) response[part] = text(key.response[part]);
  if (key.response.getTransports) response.transports = key.response.getTransports();
  return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, authenticatorAttachment: key.authenticatorAttachment, clientExtensionResults: key.getClientExtensionResults(), response });
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  box.hidden = false;
  const fault = box.querySelector("[data-said]");
  const say = (words) => { fault.textContent = words; fault.hidden = !words; };
  const button = box.querySelector("button");
  button.addEventListener("click", async () => {
    // One question at a time; a disabled button would lose the focus.
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    say("");
    try {
      const password = box.querySelector("input[type=password]"); // asked for before a key is made
      const options = await ask(box.dataset.passkey, password && new URLSearchParams({ password: password.value }));
      const key = "make" in box.dataset ? await navigator.credentials.create(options) : await navigator.credentials.get(options);
      const back = box.dataset.back ? `?${new URLSearchParams({ ve: box.dataset.back })}` : "";
      const answer = await post(`${box.dataset.passkey}/xong${back}`, { headers: { "Content-Type": "application/json" }, body: said(key) });
      location.assign(answer.headers.get("Location"));
    } catch (e) {
      const words = { NotAllowedError: fault.dataset.none, AbortError: fault.dataset.none, InvalidStateError: fault.dataset.known }[e.name];
      say(e instanceof Words ? e.message : (words ?? fault.dataset.said));
    }
    button.removeAttribute("aria-disabled");
  });
}
