// The office by keyboard: in a table of rows the arrow keys move between the rows' first links, as Tab does link by link.
for (const table of document.querySelectorAll("table[data-rows]")) {
  table.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.target.matches("a")) return;
    const links = [...table.querySelectorAll("tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
    const here = links.findIndex((link) => link.closest("tr") === event.target.closest("tr"));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 }[event.key];
    if (here < 0 || to === undefined || !links[to]) return;
    event.preventDefault();
    links[to].focus();
  });
}
