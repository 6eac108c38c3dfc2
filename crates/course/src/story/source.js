// The source beside the story: the line that the current step was taken in stands out, and stays in sight.
"use strict";

for (const figure of document.querySelectorAll("floor-plan")) {
  const listings = [...document.querySelectorAll(`pre[data-of="${figure.getAttribute("src")}"]`)];
  const follow = () => {
    const place = figure.fold?.story[Number(figure.dataset.step) - 1]?.loc;
    for (const listing of listings) {
      listing.querySelector("[aria-current]")?.removeAttribute("aria-current");
      const line = place && [...listing.querySelectorAll("[data-place]")].find((one) => one.dataset.place === place);
      if (!line) continue;
      line.setAttribute("aria-current", "true");
      listing.scrollTop = line.offsetTop - listing.clientHeight / 2;
    }
  };
  new MutationObserver(follow).observe(figure, { attributes: true, attributeFilter: ["data-step"] });
}
