/* What the page does by itself: the deep link, the theme, the watch over its own stream. */
(function () {
    "use strict";

    const SILENT_MS = 4000; // the stream marks every second
    const POLL_SILENT_MS = 7000;
    const KICK_EVERY_MS = 10000;
    const TAB = Math.random().toString(36).slice(2) + Date.now().toString(36);
    const LEGS = ["y", "x"];
    const INTERVALS = ["1s", "1m", "5m", "1h"];
    // A pane is there only while a series is on it.
    const NOTHING_IN_PANES = [0, 1, 2].map((pane) => ({ id: "none" + pane, type: "line", data: [], pane: pane }));
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const heard = { stream: window.SharedWorker ? Date.now() : 0, poll: 0, kick: Date.now() };
    const keep = () => window.dash_clientside.no_update;

    function query() {
        return new URLSearchParams(window.location.search);
    }

    function remember(entries) {
        const params = query();
        for (const [name, value] of Object.entries(entries)) {
            if (value) params.set(name, value);
            else params.delete(name);
        }
        const search = params.toString();
        window.history.replaceState(window.history.state, "", search ? "?" + search : window.location.pathname);
    }

    function oneOf(value, allowed, otherwise) {
        return allowed.includes(value) ? value : otherwise;
    }

    function number(value, digits) {
        return Number(value).toLocaleString("en-US", { maximumSignificantDigits: digits })
            .replace(/,/g, "\u202f").replace("-", "\u2212");
    }

    /* Poll while the stream is silent, ask for a new stream now and then, and say which of them feeds the page.
       A timer and not a callback: a callback once a second costs more than all else the page does in that second. */
    function watch() {
        const api = window.dash_component_api;
        const store = api && document.getElementById("services") && api.getLayout("mark");
        if (!store) return;
        const now = Date.now();
        const mark = store.props.data;
        if (mark && mark.second !== heard.second) {
            heard.second = mark.second;
            heard[mark.via] = now;
            if (document.title !== mark.title) document.title = mark.title;
        }
        const streaming = now - heard.stream < SILENT_MS;
        const link = streaming ? "stream" : now - heard.poll < POLL_SILENT_MS ? "poll" : "offline";
        const set = window.dash_clientside.set_props;
        if (heard.streaming !== streaming) {
            heard.streaming = streaming;
            set("poll", { disabled: streaming });
        }
        if (document.body.dataset.link !== link) {
            document.body.dataset.link = link;
            set("offline", {
                children: link === "offline" && heard.second !== undefined
                    ? "The dashboard server does not answer; every number here is the last known. Trying again."
                    : "",
            });
        }
        if (!streaming && window.SharedWorker && now - heard.kick > KICK_EVERY_MS) {
            heard.kick = now;
            heard.kicks = (heard.kicks || 0) + 1;
            set("kick", { data: heard.kicks });
        }
    }

    window.dash_clientside = window.dash_clientside || {};
    window.dash_clientside.pairstream = {
        /* Read pair, leg and interval from the address. */
        route: function () {
            const params = query();
            return [
                params.get("pair") || keep(),
                oneOf(params.get("leg"), LEGS, "y"),
                oneOf(params.get("interval"), INTERVALS, "1m"),
            ];
        },

        /* Note the choice, write it into the address, and take what belongs to the old one off the screen at once. */
        select: function (pair, leg, interval, before) {
            const none = keep();
            const next = { tab: TAB, pair: pair || null, leg: leg, interval: interval };
            const pairChanged = !before || before.pair !== next.pair;
            if (!pairChanged && before.leg === leg && before.interval === interval) {
                return [none, none, none, none, none, none, none, none, none];
            }
            if (next.pair) remember({ pair: pair, leg: leg, interval: interval });
            const shown = "pane-empty is-shown";
            return [
                next,
                [],
                pairChanged ? NOTHING_IN_PANES : none,
                "Loading\u2026",
                shown,
                pairChanged ? "Loading\u2026" : none,
                pairChanged ? shown : none,
                pairChanged ? "pane-empty" : none,
                "",
            ];
        },

        /* "auto" follows the system until the reader chooses. */
        theme: function (clicks, current) {
            if (!clicks) return oneOf(query().get("theme"), ["dark", "light"], "auto");
            const dark = current === "auto" ? system.matches : current === "dark";
            const chosen = dark ? "light" : "dark";
            remember({ theme: chosen });
            return chosen;
        },

        paint: function (theme, _system, options) {
            const scheme = theme === "auto" || !theme ? (system.matches ? "dark" : "light") : theme;
            document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
            const label = "Switch to the " + (scheme === "dark" ? "light" : "dark") + " theme";
            return [scheme, options["chart-candles"][scheme], options["chart-pair"][scheme], label];
        },

        /* Open, high, low, close and volume of the bar under the cursor. */
        legend: function (crosshair) {
            let prices = "";
            let volume = "";
            for (const [id, point] of Object.entries((crosshair && crosshair.seriesData) || {})) {
                if (id.startsWith("candles|") && point.open !== undefined) {
                    prices = ["open", "high", "low", "close"].map((name) =>
                        name[0].toUpperCase() + " " + number(point[name], 8)).join("  ");
                } else if (id.startsWith("volume|") && point.value !== undefined) {
                    volume = "  V " + number(point.value, 4);
                }
            }
            return prices && prices + volume;
        },
    };

    window.setInterval(watch, 1000);
    system.addEventListener("change", function () {
        window.dash_clientside.set_props("system-theme", { data: system.matches ? "dark" : "light" });
    });
})();
