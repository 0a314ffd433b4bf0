// Checkout: the communes follow the province, and the prices follow the choices, without a full reload
// by hand: the form's own "update" button is pressed for the shopper.
const form = document.querySelector("form[data-checkout]");
if (form) {
  const update = form.querySelector("button[name=do][value=update]");
  update.hidden = true;
  let asked, waiting;

  // swap puts in the fresh part; boxes ticked meanwhile stay ticked, and the focus stays where it was.
  const swap = (part, fresh) => {
    const ticked = [...part.querySelectorAll("input[type=checkbox]")].map((box) => [box.id, box.checked]);
    const at = part.contains(document.activeElement) ? document.activeElement : null;
    part.replaceChildren(...fresh.childNodes);
    for (const [id, checked] of ticked) {
      const box = document.getElementById(id);
      if (box) box.checked = checked;
    }
    if (!at) return;
    [...part.querySelectorAll(at.tagName)].find((e) => e.name === at.name && (e.type !== "radio" || e.value === at.value))?.focus();
  };
  const refresh = async (mine) => {
    // The server's whole answer in place of the page: what was typed comes back with it.
    const reload = () => { if (!mine.signal.aborted) update.click(); };
    const data = new URLSearchParams(new FormData(form));
    data.set("do", "update");
    form.setAttribute("aria-busy", "true");
    let page;
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, signal: mine.signal });
      if (!answer.ok || answer.redirected) return reload();
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { return reload(); }
    // A newer choice has its own answer coming.
    if (mine.signal.aborted) return;
    for (const part of form.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) swap(part, fresh);
    }
    form.removeAttribute("aria-busy");
  };
  form.addEventListener("change", (event) => {
    if (!event.target.closest("[data-reprice]")) return;
    asked?.abort();
    const mine = asked = new AbortController();
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(mine), 60);
  });
  form.addEventListener("submit", () => { asked?.abort(); clearTimeout(waiting); });
}
