// Suggestions while typing in the search box: a combobox fed by a plain GET of ready HTML.
const input = document.querySelector("input[data-suggest]");
if (input) {
  const box = document.createElement("div");
  box.className = "suggest";
  box.id = "suggest";
  box.hidden = true;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", input.labels[0].textContent);
  input.after(box);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-controls", box.id);
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-autocomplete", "list");
  let asked = 0, current = -1, waiting;

  const options = () => [...box.querySelectorAll("a")];
  // Closing also drops an answer that is still on its way.
  const close = () => { asked++; box.hidden = true; current = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = (n) => {
    const all = options();
    if (!all.length) return;
    current = (n + all.length) % all.length;
    all.forEach((a, i) => a.setAttribute("aria-selected", String(i === current)));
    input.setAttribute("aria-activedescendant", all[current].id);
  };
  const ask = async () => {
    const q = input.value.trim();
    if (q.length < 2) { close(); return; }
    const mine = ++asked;
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(q)}`);
      const html = answer.ok ? await answer.text() : "";
      if (mine !== asked) return;
      const marked = options()[current]?.href;
      box.innerHTML = html;
      const all = options();
      all.forEach((a, i) => { a.id = `suggest-${i}`; a.setAttribute("role", "option"); a.tabIndex = -1; });
      box.hidden = all.length === 0;
      // What was marked stays so where it is still offered.
      current = -1;
      input.removeAttribute("aria-activedescendant");
      const again = all.findIndex((a) => a.href === marked);
      if (again >= 0) mark(again);
      input.setAttribute("aria-expanded", String(!box.hidden));
    } catch { close(); }
  };
  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 120); });
  input.addEventListener("keydown", (event) => {
    if (box.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(current + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(current - 1); }
    else if (event.key === "Escape") { event.preventDefault(); close(); }
    else if (event.key === "Enter" && current >= 0) { event.preventDefault(); options()[current].click(); }
  });
  document.addEventListener("click", (event) => { if (!box.contains(event.target) && event.target !== input) close(); });
  input.addEventListener("blur", () => setTimeout(() => { if (!box.contains(document.activeElement)) close(); }, 150));
}
