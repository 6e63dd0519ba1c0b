/* Horizontal levels on the charts of the market: in the address, and in the browser for the next visit. */
(() => {
    "use strict";

    const MOST = 20;
    const KEPT_AS = "levels";
    const { texts, query, remember, complain, look, set, props, keep } = window.pairstream;
    const PLACES = ["", "-2", "-3", "-4"];

    let levels = {}; // the prices of each symbol
    let page = null; // the opening of the page that they were read for

    /* A number as somebody writes it, with any spaces between its digits; null if it is no price. */
    function price(text) {
        const value = Number(String(text ?? "").replace(/[\s_]/g, "") || NaN);
        return Number.isFinite(value) && value > 0 ? value : null;
    }

    function read() {
        const found = {};
        for (const one of (query().get("levels") ?? localStorage.getItem(KEPT_AS) ?? "").split(",")) {
            const at = one.lastIndexOf(":");
            const value = price(one.slice(at + 1));
            if (at > 0 && value !== null) add(found, one.slice(0, at), value);
            else if (one && query().has("levels")) complain("levels", one, texts.address.levels);
        }
        return found;
    }

    function add(to, symbol, value) {
        to[symbol] = [...new Set([...(to[symbol] || []), value])].sort((one, other) => other - one);
        if (to[symbol].length > MOST) to[symbol].splice(MOST);
    }

    function written() {
        return Object.entries(levels)
            .flatMap(([symbol, prices]) => prices.map((one) => `${symbol}:${one}`))
            .join(",");
    }

    /* The price under a double-click, as finely as the scale of the chart has it. */
    function clicked(chart, symbol) {
        const candles = (props(chart).series || []).find((one) => one.id.startsWith(`candles|${symbol}|`));
        const value = candles && props(chart).dblClick?.price?.[candles.id];
        return value > 0 ? Number(value.toFixed(candles.options.priceFormat.precision)) : null;
    }

    function html(type, properties) {
        return { type: type, namespace: "dash_html_components", props: properties };
    }

    function item(symbol, value) {
        const text = window.pairstream.number(value, 15);
        return html("Li", {
            className: "num",
            children: [
                text,
                html("Button", {
                    children: "\u00d7",
                    type: "button",
                    className: "button is-link level-remove",
                    "data-price": String(value),
                    "data-symbol": symbol,
                    "aria-label": texts.market.removeLevel(text),
                }),
            ],
        });
    }

    function remove(event) {
        const button = event.target.closest?.(".level-remove");
        if (!button) return;
        set("level-removed", {
            data: { symbol: button.dataset.symbol, price: Number(button.dataset.price) },
        });
        // The button goes; the keyboard stays in the panel.
        document.getElementById("level-price")?.focus();
    }

    window.dash_clientside.market_levels = {
        /* Take in what was added or removed, and list the levels of the symbol of the active chart. */
        change: (names, used, _add, _enter, removed, ...rest) => {
            const prop = window.dash_clientside.callback_context.triggered[0]?.prop_id || "";
            const all = (names || "").split(",");
            const at = (place) => all[PLACES.indexOf(place)] || all[0];
            const main = document.getElementById("page-market");
            if (main !== page) {
                page = main;
                levels = read();
            }
            const before = written();
            let error = "";
            if (prop.endsWith(".dblClick")) {
                const chart = prop.split(".")[0];
                const symbol = at(chart.slice("chart-candles".length));
                const value = clicked(chart, symbol);
                if (value !== null) add(levels, symbol, value);
            } else if (prop === "level-add.n_clicks" || prop === "level-price.n_submit") {
                const value = price(rest[rest.length - 1]);
                if (value === null) error = texts.market.expectedPrice;
                else if (at(used)) add(levels, at(used), value);
            } else if (prop === "level-removed.data" && removed) {
                const left = (levels[removed.symbol] || []).filter((one) => one !== removed.price);
                if (left.length) levels[removed.symbol] = left;
                else delete levels[removed.symbol];
            }
            // Those of an address that somebody has sent replace the reader's own only once they are changed.
            if (written() !== before) localStorage.setItem(KEPT_AS, written());
            remember({ levels: written() });
            look({ levels: JSON.parse(JSON.stringify(levels)) });
            const prices = levels[at(used)] || [];
            return [
                at(used) ? texts.market.levelsOf(at(used), prices.length) : "",
                prices.map((value) => item(at(used), value)),
                prices.length ? texts.market.levels(prices.length) : texts.market.noLevels,
                error,
                error ? keep() : "",
            ];
        },
    };

    document.addEventListener("click", remove);
})();
