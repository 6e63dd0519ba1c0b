/* The table of all pairs: order and filters, the keyboard, and what the address says of them. */
(() => {
    "use strict";

    const TABLE = "overview-table";
    const TEND_EVERY_MS = 400;
    const ORDER_EVERY_MS = 5000;
    const WALL_PAIRS = 12;
    const { texts, query, remember, complain, oneOf, look, set, constants, inOrder } = window.pairstream;
    const { columns: COLUMNS, first: FIRST, states: STATES } = constants.overview;
    const said = texts.overview;

    let filter = "";
    let state = "all";
    let order = FIRST;
    let tended = null; // the table that is sorted as the address says
    let orderedMs = 0;
    let shown = ""; // what is said of how many rows there are

    const isHere = () => Boolean(document.getElementById("page-overview"));

    function grid(use) {
        if (isHere() && window.dash_ag_grid && document.getElementById(TABLE))
            window.dash_ag_grid.getApiAsync(TABLE).then((api) => isHere() && use(api));
    }

    function passes(row) {
        return row.pair.includes(filter.toUpperCase()) && (state === "all" || row.kinds.includes(state));
    }

    const spelled = (sort) => (sort.sort === "desc" ? "-" : "") + sort.colId;

    /* Sort as `order` says. */
    function sort(api) {
        const column = order.replace(/^-/, "");
        api.applyColumnState({
            state: [{ colId: column, sort: order === column ? "asc" : "desc" }],
            defaultState: { sort: null },
        });
    }

    /* Whoever points at a row, or has the keyboard in it, finds it where it was. */
    function isInUse() {
        const rows = document.querySelector(`#${TABLE} .ag-body`);
        return Boolean(rows && (rows.matches(":hover") || rows.contains(document.activeElement)));
    }

    function isAsFiltered(api) {
        let seen = 0;
        let wanted = 0;
        api.forEachNode((node) => {
            wanted += passes(node.data);
        });
        api.forEachNodeAfterFilter((node) => {
            seen += passes(node.data) || wanted + 1;
        });
        return seen === wanted;
    }

    function renew(api) {
        const sorted = api.getColumnState().find((column) => column.sort);
        if (!isAsFiltered(api)) api.onFilterChanged();
        if (sorted && !inOrder(api, sorted)) api.refreshClientSideRowModel("sort");
    }

    function count(api) {
        let all = 0;
        const pairs = [];
        api.forEachNode(() => {
            all += 1;
        });
        api.forEachNodeAfterFilterAndSort((node) => {
            pairs.push(node.data.pair);
        });
        const now = JSON.stringify([all, pairs.length, filter, state, pairs.slice(0, WALL_PAIRS)]);
        if (now === shown) return;
        shown = now;
        set("overview-count", { children: all ? said.count(pairs.length, all) : "" });
        set("overview-wall", {
            href: `/wall?pairs=${pairs.slice(0, WALL_PAIRS).map(encodeURIComponent).join(",")}`,
        });
        const isNone = Boolean(all && !pairs.length);
        set("overview-none", {
            children: isNone ? said.none : "",
            className: `pane-empty${isNone ? " is-shown" : ""}`,
        });
    }

    /* Tables and rows come late: see to it now and then that the table is as it was asked for. */
    function tend() {
        grid((api) => {
            const table = document.getElementById(TABLE);
            if (tended !== table) {
                tended = table;
                shown = "";
                sort(api);
                api.addEventListener("sortChanged", () => {
                    const sorted = api.getColumnState().find((column) => column.sort);
                    order = sorted ? spelled(sorted) : FIRST;
                    if (!sorted) sort(api);
                    remember({ sort: order === FIRST ? null : order });
                    orderedMs = Date.now();
                });
            }
            if (Date.now() - orderedMs >= ORDER_EVERY_MS && !isInUse()) {
                orderedMs = Date.now();
                renew(api);
            }
            count(api);
        });
    }

    /* Put the keyboard into the table: where it was, otherwise into the first row. */
    function enter() {
        grid((api) => {
            const cell = api.getFocusedCell();
            const row = cell && cell.rowIndex < api.getDisplayedRowCount() ? cell.rowIndex : 0;
            api.ensureIndexVisible(row);
            api.setFocusedCell(row, cell ? cell.column : "pair");
        });
    }

    function open(row) {
        const id = CSS.escape(row.getAttribute("row-id"));
        const link = document.querySelector(`#${TABLE} .ag-row[row-id="${id}"] a.inside`);
        if (link) /** @type {HTMLElement} */ (link).click();
    }

    function typed(event) {
        if (!isHere() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
        if (document.querySelector("dialog[open], [role='dialog']")) return;
        const find = /** @type {HTMLInputElement} */ (document.getElementById("overview-filter"));
        const { target, key } = event;
        const row = target.closest(`#${TABLE} .ag-row`);
        if (target === find && key === "Escape") set("overview-filter", { value: "" });
        else if (target === find && (key === "ArrowDown" || key === "Enter")) enter();
        else if (target.matches("input, textarea, select, [contenteditable]")) return;
        else if (key === "/") find.focus();
        else if (key === "Enter" && row && !target.closest("a")) open(row);
        else if ((key === "ArrowDown" || key === "ArrowUp") && !target.closest(`#${TABLE}`)) {
            if (target !== document.body && target.tagName !== "MAIN") return;
            enter();
        } else return;
        event.preventDefault();
    }

    window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
        pairstreamOverview: passes,
    });

    window.dashAgGridComponentFunctions ??= {};
    /* The z-score of half an hour around 0, between its entry thresholds; a gap where it is not known. */
    window.dashAgGridComponentFunctions.OverviewLine = (cell) => {
        const heights = cell.value || [];
        if (!heights.length) return "";
        const parts = [[]];
        heights.forEach((height, at) => {
            if (height === null) parts.push([]);
            else parts[parts.length - 1].push(`${at},${-height}`);
        });
        const level = (height, kind) =>
            React.createElement("line", {
                key: height,
                className: kind,
                x1: 0,
                x2: heights.length - 1,
                y1: height,
                y2: height,
                vectorEffect: "non-scaling-stroke",
            });
        return React.createElement(
            "svg",
            {
                className: "hour",
                role: "img",
                viewBox: `0 -54 ${heights.length - 1} 108`,
                preserveAspectRatio: "none",
                "aria-label": said.lineOf(cell.data.pair),
            },
            level(0, "zero"),
            level(cell.data.entry, "entry"),
            level(-cell.data.entry, "entry"),
            parts
                .filter((points) => points.length)
                .map((points) =>
                    React.createElement("polyline", {
                        key: points[0],
                        points: points.join(" "),
                        vectorEffect: "non-scaling-stroke",
                    }),
                ),
        );
    };

    window.dash_clientside.overview = {
        /* Read filter, state and order from the address. */
        route: () => {
            const asked = query();
            const sorted = asked.get("sort") || FIRST;
            const isKnown = COLUMNS.includes(sorted.replace(/^-/, ""));
            if (!isKnown) complain("sort", sorted, `${texts.address.oneOf(COLUMNS)}, ${texts.address.sort}`);
            order = isKnown ? sorted : FIRST;
            filter = asked.get("filter") || "";
            state = oneOf("state", STATES, "all");
            tended = null;
            remember({ sort: order === FIRST ? null : order });
            return [filter, state];
        },

        /* Note what is filtered by, write it into the address, and show it at once. */
        select: (text, chosen) => {
            filter = (text || "").trim();
            state = chosen;
            remember({ filter: filter, state: state === "all" ? null : state });
            look({});
            grid((api) => {
                api.onFilterChanged();
                count(api);
            });
            return window.pairstream.keep();
        },
    };

    document.addEventListener("keydown", typed);
    window.setInterval(tend, TEND_EVERY_MS);
})();
