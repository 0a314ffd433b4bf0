// What script improves on shop pages; every page works without it.
// Plus and minus beside a quantity; without script the field alone serves.
for (const box of document.querySelectorAll(".qty")) {
  const input = box.querySelector("input");
  for (const button of box.querySelectorAll("button[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const max = Number(input.max) || 999;
      const next = (parseInt(input.value, 10) || 0) + Number(button.dataset.step);
      input.value = Math.min(max, Math.max(Number(input.min) || 1, next));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

// A basket quantity is sent as soon as it changes; its own button is for browsers without script.
for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  let waiting;
  for (const button of form.querySelectorAll("[data-noscript]")) button.hidden = true;
  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => form.requestSubmit(), 400);
  });
}

// A second click while a form is on its way does nothing. The server would answer it alike; this
// only spares the wait.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// Copy an account number, an amount, a memo.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = said; }, 1500);
  });
}

// How long the goods are still kept. At zero the page asks the server what became of the order.
for (const clock of document.querySelectorAll("time[data-until]")) {
  const end = Date.parse(clock.dateTime);
  clock.previousElementSibling.textContent = clock.dataset.left;
  const tick = () => {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) setTimeout(tick, 1000);
    else setTimeout(() => location.reload(), 1500);
  };
  tick();
}

// After a refused form the first thing to mend has the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// On wide screens the filters stand open beside the goods where the browser cannot do it by style.
const sheet = document.querySelector("details.sheet");
if (sheet && matchMedia("(min-width: 60rem)").matches) sheet.open = true;
