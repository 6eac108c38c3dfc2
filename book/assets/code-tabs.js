// <code-tabs>: the same thing written in two ways, in Rust and in Python for example, one at a time. The choice is kept, and holds for every group of the
// same `sync` name. Without JavaScript the blocks follow each other under their names.
"use strict";

(() => {
  const house = (globalThis.loopbot ??= {});
  const { make } = house;

  class CodeTabs extends HTMLElement {
    connectedCallback() {
      if (house.onPaper || this.dataset.state) return;
      this.panels = [...this.children].filter((child) => child.localName === "code-tab");
      if (this.panels.length < 2) return;
      this.sync = this.getAttribute("sync");
      this.tabs = this.panels.map((panel, k) => {
        panel.id ||= house.freshId("panel");
        const tab = make("button", { type: "button", role: "tab", id: house.freshId("tab"), "aria-controls": panel.id,
          onclick: () => this.#choose(k) }, panel.getAttribute("name") ?? `${k + 1}`);
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", tab.id);
        return tab;
      });
      const list = make("div", { role: "tablist", "aria-label": "Choose a version" }, ...this.tabs);
      list.addEventListener("keydown", (event) => this.#key(event));
      this.prepend(list);
      this.dataset.state = "ready";
      const kept = this.sync ? house.store.get(`tabs:${this.sync}`) : null;
      this.show(Math.max(0, this.tabs.findIndex((tab) => tab.textContent === kept)));
    }

    show(k) {
      this.tabs.forEach((tab, i) => {
        tab.setAttribute("aria-selected", i === k);
        tab.tabIndex = i === k ? 0 : -1;
        this.panels[i].hidden = i !== k;
      });
      this.dataset.shown = this.tabs[k].textContent;
    }

    // Chooses for all groups of the same name, and keeps the chosen one where it is on the screen.
    #choose(k) {
      const before = this.getBoundingClientRect().top;
      const name = this.tabs[k].textContent;
      this.show(k);
      if (this.sync) {
        house.store.set(`tabs:${this.sync}`, name);
        for (const other of document.querySelectorAll("code-tabs[data-state=ready]")) {
          const same = other.sync === this.sync ? other.tabs.findIndex((tab) => tab.textContent === name) : -1;
          if (other !== this && same >= 0) other.show(same);
        }
      }
      window.scrollBy(0, this.getBoundingClientRect().top - before);
      this.dispatchEvent(new CustomEvent("loopbot:tab", { bubbles: true, detail: { name } }));
    }

    #key(event) {
      event.stopPropagation(); // mdBook would turn the page
      const last = this.tabs.length - 1;
      const now = this.tabs.indexOf(event.target);
      const next = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last }[event.key];
      if (next === undefined || now < 0) return;
      event.preventDefault();
      this.#choose(next);
      this.tabs[next].focus({ preventScroll: true });
    }
  }

  customElements.define("code-tabs", CodeTabs);
})();
