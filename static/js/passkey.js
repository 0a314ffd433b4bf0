// Passkeys: sign in or make one with the device's own lock. Without support the buttons stay hidden, and the password serves.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// ask gets what the device shall sign, in the form that it wants.
async function ask(address, body) {
  const answer = await fetch(address, { method: "POST", body });
  if (!answer.ok || answer.redirected) throw new Error(answer.redirected ? "" : await answer.text());
  const { publicKey } = await answer.json();
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
  box.querySelector("button").addEventListener("click", async () => {
    say("");
    try {
      const password = box.querySelector("input[type=password]"); // asked for before a key is made
      const options = await ask(box.dataset.passkey, password && new URLSearchParams({ password: password.value }));
      const key = "make" in box.dataset ? await navigator.credentials.create(options) : await navigator.credentials.get(options);
      const back = box.dataset.back ? `?${new URLSearchParams({ ve: box.dataset.back })}` : "";
      const answer = await fetch(`${box.dataset.passkey}/xong${back}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: said(key) });
      if (answer.status !== 204) throw new Error(answer.ok ? "" : await answer.text());
      location.assign(answer.headers.get("Location"));
    } catch (e) {
      // Whoever closed the device's own question wants no words about it.
      if (e.name !== "NotAllowedError" && e.name !== "AbortError") say(e.message && e.message.length < 200 ? e.message : fault.dataset.said);
    }
  });
}
