// Checkout: the communes follow the province, and the prices follow the choices, without a full reload
// by hand: the form's own "update" button is pressed for the shopper.
const form = document.querySelector("form[data-checkout]");
if (form) {
  const update = form.querySelector("button[name=do][value=update]");
  update.hidden = true;
  const refresh = async () => {
    const data = new URLSearchParams(new FormData(form));
    data.set("do", "update");
    form.setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of form.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceChildren(...fresh.childNodes);
    }
    form.removeAttribute("aria-busy");
  };
  let waiting;
  form.addEventListener("change", (event) => {
    if (!event.target.closest("[data-reprice]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh().catch(() => update.click()), 60);
  });
}
