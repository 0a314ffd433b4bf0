// While a purchase waits for money, its page hears from the server when that has come, and shows itself anew.
const place = document.querySelector("[data-news]");

if (place) {
  const address = new URL(place.dataset.news, location.href);
  let shown = false;

  // Whoever is writing into a field is not interrupted: the page waits until they leave it.
  const show = () => {
    if (shown) return;
    const field = document.activeElement;
    if (field?.matches("main input, main textarea") && field.value) {
      field.addEventListener("blur", show, { once: true });
      return;
    }
    shown = true;
    location.reload();
  };

  // Without a stream the page asks, ever less often.
  const ask = async (wait) => {
    if (shown) return;
    try {
      const question = new URL(address);
      question.searchParams.set("hoi", "1");
      const answer = await fetch(question, { headers: { accept: "application/json" } });
      if (answer.ok) {
        const { ban, cho } = await answer.json();
        if (ban !== address.searchParams.get("ban")) return show();
        if (!cho) return;
      }
    } catch { /* no network: the next question may get through */ }
    setTimeout(ask, wait, Math.min(wait * 1.5, 30000));
  };

  if (window.EventSource) {
    let faults = 0;
    const stream = new EventSource(address);
    stream.addEventListener("open", () => { faults = 0; });
    stream.addEventListener("doi", () => { stream.close(); show(); });
    stream.addEventListener("error", () => {
      faults++;
      if (stream.readyState !== EventSource.CLOSED && faults < 3) return;
      stream.close();
      ask(3000);
    });
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  } else {
    ask(3000);
  }
}
