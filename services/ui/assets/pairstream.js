/* What every page does by itself: the deep link, the theme, the time zone. */
(() => {
    "use strict";

    const THEMES = ["dark", "light"];
    const TAB = Math.random().toString(36).slice(2) + Date.now().toString(36);
    /* UTC and the reader's zone first, then every zone that the browser knows. */
    const ZONES = [
        "UTC",
        Intl.DateTimeFormat().resolvedOptions().timeZone,
        ...Intl.supportedValuesOf("timeZone"),
    ];
    const { texts, moment, isZone, setZone, zone, query, remember, review, complain, oneOf } =
        window.pairstream;
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const keep = () => window.dash_clientside.no_update;
    const set = (id, props) => window.dash_clientside.set_props(id, props);
    let looking = null; // what this tab looks at
    let looked = null; // the element of the page that says so
    const given = {}; // the series of each chart

    /* A component as Dash holds it, null if it is not on the page: Dash throws then. */
    function held(id) {
        try {
            return window.dash_component_api.getLayout(id) || null;
        } catch {
            return null;
        }
    }

    function props(id) {
        const component = held(id);
        return component ? component.props : {};
    }

    function tell(news) {
        looking = Object.assign({ tab: TAB }, looking, news);
        set("selection", { data: looking });
    }

    /* Say what the page that is open looks at; `asks` come on top of what it said before, its address first of all. */
    function look(asks) {
        const main = document.querySelector("main");
        if (!main) return;
        const before = looked === main ? looking.asks : { address: Object.fromEntries(query()) };
        const opened = looked === main ? looking.opened : (looking ? looking.opened : 0) + 1;
        looked = main;
        tell({
            page: main.id.slice("page-".length),
            opened: opened,
            zone: zone(),
            asks: Object.assign({}, before, asks),
        });
    }

    const TICKS = [
        (ms) => moment(ms, "day").slice(0, 4),
        (ms) => moment(ms, "day").slice(0, 7),
        (ms) => moment(ms, "day").slice(5),
        (ms) => moment(ms, "minute"),
        (ms) => moment(ms, "second"),
    ];

    /* Take the points out of what a chart was given before. Redux and React keep that for as long as there is a component
       that has not been drawn since: tens of thousands of points, several times. */
    function forget() {
        for (const chart of document.querySelectorAll("main [id^='chart-']"))
            given[chart.id] = given[chart.id] || [];
        for (const id of Object.keys(given)) {
            const series = props(id).series || [];
            if (series === given[id]) continue;
            const points = new Set(series.map((one) => one.data));
            for (const one of given[id]) if (one.data && !points.has(one.data)) one.data.length = 0;
            given[id] = series;
        }
    }

    function scheme(theme) {
        return theme === "auto" || !theme ? (system.matches ? "dark" : "light") : theme;
    }

    /* Elements as JSON, and what has become of those that have ids. */
    function element(tree, values, key) {
        if (Array.isArray(tree)) return tree.map((one, n) => element(one, values, n));
        if (tree === null || typeof tree !== "object") return tree;
        const { children, ...props } = Object.assign({ key: key }, tree.props, values[tree.props.id]);
        return React.createElement(tree.tag, props, element(children, values));
    }

    function BatchedElement(props) {
        return element(props.tree, props.values || {});
    }

    function compare(one, other) {
        if (one === other) return 0;
        if (one === null || other === null) return one === null ? -1 : 1;
        return one < other ? -1 : 1;
    }

    function inOrder(api, column) {
        const values = [];
        api.forEachNodeAfterFilterAndSort((node) => values.push(node.data[column.colId]));
        const way = column.sort === "asc" ? 1 : -1;
        return values.every((value, n) => !n || way * compare(values[n - 1], value) <= 0);
    }

    function takeIn(api, rows, keepsOrder) {
        const known = rows.filter((row) => api.getRowNode(row.id));
        for (const row of known) Object.assign(api.getRowNode(row.id).data, row);
        api.refreshCells({ rowNodes: known.map((row) => api.getRowNode(row.id)) });
        if (keepsOrder) return;
        const sorted = api.getColumnState().find((column) => column.sort);
        if (sorted && !inOrder(api, sorted)) api.refreshClientSideRowModel("sort");
    }

    function BatchedRows({ table, rows, keepsOrder }) {
        React.useEffect(() => {
            if (rows.length)
                window.dash_ag_grid.getApiAsync(table).then((api) => takeIn(api, rows, keepsOrder));
        }, [rows]);
        return null;
    }

    /* Mark the row of a table that is chosen, if it is there, and no other. */
    function markRow(table, id) {
        const { rowData, selectedRows: marked } = props(table);
        const held = marked?.ids ? marked.ids : (marked || []).map((row) => row.id);
        const chosen = (rowData || []).some((row) => row.id === id) ? [id] : [];
        if (String(held) !== String(chosen)) set(table, { selectedRows: { ids: chosen } });
    }

    Object.assign(window.pairstream, {
        BatchedElement,
        BatchedRows,
        inOrder,
        markRow,
        held,
        props,
        look,
        keep,
        set,
        tell,
        looking: () => looking,
    });
    window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
        pairstreamMoment: moment,
    });
    window.dashTvlwcFunctions = Object.assign(window.dashTvlwcFunctions || {}, {
        pairstreamMoment: (seconds) => moment(seconds * 1000),
        pairstreamTick: (seconds, kind) => TICKS[kind](seconds * 1000),
    });

    // What the server knows, too: services/ui/script_constants.py.
    window.pairstream.constants = JSON.parse(document.documentElement.dataset.constants);

    window.dash_clientside = window.dash_clientside || {};
    window.dash_clientside.pairstream = {
        /* A page has been opened: mark it in the menu, and say so to the server. */
        place: () => {
            review();
            look({});
            for (const item of /** @type {NodeListOf<HTMLAnchorElement>} */ (
                document.querySelectorAll(".menu-item")
            )) {
                if (item.pathname === window.location.pathname) {
                    item.setAttribute("aria-current", "page");
                    item.scrollIntoView({ block: "nearest", inline: "center" });
                } else item.removeAttribute("aria-current");
            }
            return looking ? looking.opened : keep();
        },

        /* "auto" follows the system until the reader chooses. */
        theme: (clicks) => {
            const kept = localStorage.getItem("theme");
            const theme = oneOf("theme", THEMES, THEMES.includes(kept) ? kept : "auto");
            if (!clicks) return theme;
            const next = scheme(theme) === "dark" ? "light" : "dark";
            remember({ theme: query().has("theme") ? next : null });
            localStorage.setItem("theme", next);
            return next;
        },

        paint: (theme) => {
            const now = scheme(theme);
            document.documentElement.setAttribute("data-mantine-color-scheme", now);
            return [now, texts.switchTheme(now === "dark" ? "light" : "dark")];
        },

        /* Options are new on every call, so that a chart draws its times again when the zone changes. */
        paint_chart: (theme, _system, _zone, themes) => Object.assign({}, themes[scheme(theme)]),

        zones: () => {
            const kept = localStorage.getItem("zone");
            const usual = isZone(kept) ? kept : "UTC";
            const asked = query().get("zone") || usual;
            if (!isZone(asked)) complain("zone", asked, texts.address.zone);
            const zone = isZone(asked) ? asked : usual;
            return [[...new Set(ZONES.concat(zone))], zone];
        },

        zone: (chosen) => {
            if (!chosen) return "";
            if (!setZone(chosen)) return "unknown";
            localStorage.setItem("zone", chosen);
            remember({ zone: query().has("zone") ? chosen : null });
            look({});
            for (const grid of document.querySelectorAll("main .ag-root-wrapper")) {
                const owner = grid.closest("[id]");
                if (owner && window.dash_ag_grid)
                    window.dash_ag_grid.getApi(owner.id).refreshCells({ force: true });
            }
            return "";
        },
    };

    window.setInterval(forget, 1000);
    system.addEventListener("change", () => {
        set("system-theme", { data: system.matches ? "dark" : "light" });
    });
})();
