/* What alerts do on every page (buttons, links, the tone), and what their own page does by itself. */
(() => {
    "use strict";

    const STATES = ["all", "firing", "resolved", "retracted", "ended", "acknowledged"];
    const SNOOZED = ["any", "yes", "no"];
    const SWEEP_EVERY_MS = 1000;
    const { texts, query, remember, oneOf, look, moment, local, instant, address, time, number, set, keep } =
        window.pairstream;

    let main = null; // the page as it was opened
    let wanted = null; // what its filters say
    let turn = 0; // how often they have changed: rows that come belong to one of the turns
    let filled = 0; // the turn the table was filled in
    let drawn = {}; // what has been drawn of it
    let held = new Map(); // its rows
    let guarded = null; // the table that is watched over
    let sounds = null;

    function grid(use) {
        window.dash_ag_grid.getApiAsync("alerts-table").then(use);
    }

    /* Go to another page of the dashboard without loading it anew. */
    function visit(event) {
        const link = event.target.closest?.("a.inside");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        window.history.pushState({}, "", link.href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    }

    function ask(button, does, seconds) {
        const { alert, subject } = button.dataset;
        if (does === "other") {
            set("snooze-alert", { data: { alert: alert } });
            set("snooze-about", { children: subject });
            set("snooze-said", { children: "" });
            set("snooze", { opened: true });
        } else {
            set("alert-asked", { data: { alert: alert, does: does, for_s: seconds, at: Date.now() } });
        }
    }

    function pressed(event) {
        const button = event.target.closest?.("button[data-does]");
        if (button) ask(button, button.dataset.does, button.dataset.for);
        const judged = event.target.closest?.("button[data-mark]");
        if (!judged) return;
        set("judge-incident", { data: judged.dataset.mark });
        set("judge-about", { children: judged.dataset.subject });
        set("judge-note", { value: judged.dataset.note });
        set("judge-said", { children: "" });
        set("judge", { opened: true });
    }

    function chosen(event) {
        const choice = event.target;
        if (!choice.matches?.("select[data-alert]")) return;
        ask(choice, choice.value === "other" ? "other" : "snooze", choice.value);
        choice.value = "";
    }

    /* Two short notes, without a file. A browser lets a page sound only after it was touched. */
    function tone() {
        sounds ??= new AudioContext();
        sounds.resume();
        [660, 880].forEach((pitch, n) => {
            const note = sounds.createOscillator();
            const volume = sounds.createGain();
            const begin = sounds.currentTime + 0.14 * n;
            note.frequency.value = pitch;
            volume.gain.setValueAtTime(0.12, begin);
            volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.13);
            note.connect(volume).connect(sounds.destination);
            note.start(begin);
            note.stop(begin + 0.14);
        });
    }

    function sounding() {
        return localStorage.getItem("sound") === "on";
    }

    function touched() {
        if (!sounding()) return;
        sounds ??= new AudioContext();
        sounds.resume();
    }

    /* The table begins with the rows of its layout, none, and may do so after the first rows have come. */
    function guard(api) {
        if (api === guarded) return;
        guarded = api;
        api.addEventListener("rowDataUpdated", () => {
            if (api.getDisplayedRowCount() < held.size) api.setGridOption("rowData", [...held.values()]);
        });
    }

    function fill(api, rows) {
        held = new Map(rows.map((row) => [row.id, row]));
        guard(api);
        api.setGridOption("rowData", rows);
    }

    /* Take rows in; whoever has scrolled down goes on reading the same row. */
    function merge(api, rows) {
        const add = [];
        const update = [];
        const remove = [];
        for (const { is_old: isOld, is_gone: isGone, ...part } of rows) {
            const known = api.getRowNode(part.id);
            const row = isOld && known ? { ...known.data, ...part } : part;
            if (isGone) {
                if (known) remove.push(known.data);
                held.delete(part.id);
                continue;
            }
            if (!known && !isOld) add.push(row);
            else if (known && JSON.stringify(known.data) !== JSON.stringify(row)) update.push(row);
            else continue;
            held.set(row.id, row);
        }
        if (!add.length && !update.length && !remove.length) return;
        const view = document.querySelector("#alerts-table .ag-body-viewport");
        const height = api.getSizesForCurrentTheme().rowHeight;
        const read =
            view && view.scrollTop > 0 && api.getDisplayedRowAtIndex(Math.floor(view.scrollTop / height));
        const before = read?.rowIndex;
        api.applyTransaction({ add: add, update: update, remove: remove });
        if (read?.rowIndex != null) view.scrollTop += (read.rowIndex - before) * height;
    }

    /* The rows that a newer first page no longer has, although it reaches as far back. */
    function missing(first, news) {
        const listed = new Set([...first.rows, ...news].map((row) => row.id));
        const oldest = first.cursor ? Math.min(...first.rows.map((row) => row.time)) : -Infinity;
        return [...held.values()]
            .filter((row) => !listed.has(row.id) && row.time > oldest)
            .map((row) => ({ id: row.id, is_gone: true }));
    }

    /* Snoozes begin and end while a list that goes by them is looked at. */
    function sweep() {
        if (!wanted?.snoozed || filled !== turn || !document.getElementById("alerts-table")) return;
        const gone = [...held.values()].filter(
            (row) => row.until > Date.now() !== (wanted.snoozed === "yes"),
        );
        if (!gone.length) return;
        for (const row of gone) held.delete(row.id);
        grid((api) => api.applyTransaction({ remove: gone.filter((row) => api.getRowNode(row.id)) }));
    }

    function more(cursor, isFirst) {
        set("alerts-cursor", { data: cursor || null });
        set("alerts-older", { hidden: !cursor });
        if (isFirst) set("alerts-said", { children: "" });
    }

    window.dashAgGridComponentFunctions ??= {};
    const components = window.dashAgGridComponentFunctions;
    const element = (...parts) => window.React.createElement(...parts);

    const inside = (name, href) => element("a", { className: "inside", href: href }, name);

    components.PairLink = (cell) =>
        inside(cell.data.pair, `/pairs?pair=${encodeURIComponent(cell.data.pair)}`);

    components.SubjectLink = (cell) => {
        const { subject, href } = cell.data;
        return href ? inside(subject, href) : subject;
    };

    components.RuleLink = (cell) => {
        const { rule, rule_href: href } = cell.data;
        return href ? inside(rule, href) : rule;
    };

    /* The begin of an incident leads to its pair at that moment. */
    components.MomentLink = (cell) => {
        const text = moment(cell.value);
        return cell.data.at_href ? inside(text, cell.data.at_href) : text;
    };

    components.IncidentArrivals = (cell) => {
        const { id, subject } = cell.data;
        const about = { "data-deliveries": id, "data-subject": subject };
        const label = texts.alerts.deliveriesOf(subject);
        return element(
            "button",
            { className: "action", "aria-label": label, ...about },
            texts.alerts.deliveries,
        );
    };

    /* Whether somebody has called an incident a false alarm, and the way to say so. */
    components.IncidentMark = (cell) => {
        const { id, subject, judged, note } = cell.data;
        return element("span", { className: "alert-handling", title: judged }, [
            element(
                "button",
                {
                    key: "mark",
                    className: "action for-writers",
                    "data-mark": id,
                    "data-subject": subject,
                    "data-note": note,
                    "aria-label": texts.alerts.judgeOf(subject),
                },
                judged ? texts.alerts.isFalse : texts.alerts.judge,
            ),
            judged && element("span", { key: "why" }, judged),
        ]);
    };

    /* Who has seen an alert and until when it is silent, or what can be done about it. */
    components.AlertHandling = (cell) => {
        const { id, subject, is_open: isOpen, acked, by } = cell.data;
        const until = cell.data.until > Date.now() ? cell.data.until : null;
        const about = { "data-alert": id, "data-subject": subject };
        const parts = [];
        if (acked) {
            parts.push(
                element(
                    "span",
                    { key: "acked", title: moment(acked) },
                    texts.alerts.acknowledged(by, moment(acked, "second")),
                ),
            );
        } else if (isOpen) {
            parts.push(
                element(
                    "button",
                    {
                        key: "ack",
                        className: "action for-writers",
                        "data-does": "ack",
                        "aria-label": texts.alerts.acknowledgeOf(subject),
                        ...about,
                    },
                    texts.alerts.acknowledge,
                ),
            );
        }
        if (until || (isOpen && !acked)) {
            const options = [
                ["", until ? texts.alerts.snoozedUntil(moment(until).slice(5, 16)) : texts.alerts.snooze],
                ...cell.snoozes.map(([label, seconds]) => [seconds, label]),
                ["other", texts.alerts.other],
                ...(until ? [["0", texts.alerts.endSnooze]] : []),
            ];
            parts.push(
                element(
                    "select",
                    {
                        key: "snooze",
                        className: "action for-writers",
                        defaultValue: "",
                        "aria-label": texts.alerts.snoozeOf(subject),
                        ...about,
                    },
                    options.map(([value, label]) =>
                        element("option", { key: value, value: value, disabled: value === "" }, label),
                    ),
                ),
            );
        }
        return element("span", { className: "alert-handling" }, parts);
    };

    window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
        pairstreamNumber: (value, digits) =>
            value === null || value === undefined ? "" : number(value, digits),
        /* Tab goes through what is inside a cell before it goes to the next one. */
        pairstreamInside: (params) => {
            const cell = params.event.target.closest(".ag-cell");
            const inside = [...cell.querySelectorAll("a, button, select")];
            const at = inside.indexOf(document.activeElement);
            if (params.event.key !== "Tab") return at >= 0;
            return params.event.shiftKey ? at > 0 : at < inside.length - 1;
        },
    });

    window.dash_clientside.alerts = {
        /* Who may only read sees no button of alerts, on whatever page a toast comes. */
        reader: (why) => {
            document.body.classList.toggle("is-reader", Boolean(why));
            return window.dash_clientside.no_update;
        },
        /* Read the filters from the address; times are shown in the reader's zone. */
        route: () => [
            query().get("pair") || "",
            query().get("rule") || "",
            oneOf("state", STATES, "all"),
            oneOf("snoozed", SNOOZED, "any"),
            local(time("from")),
            local(time("to")),
            sounding(),
        ],

        /* Note the filters, write them into the address, and take what belongs to the old ones off the screen. */
        select: (pair, rule, state, snoozed, from, to) => {
            const now = {
                pair: pair || "",
                rule: rule || "",
                state: state,
                snoozed: snoozed === "any" ? null : snoozed,
                from: instant(from),
                to: instant(to),
            };
            const page = document.getElementById("page-alerts");
            if (page === main && JSON.stringify(now) === JSON.stringify(wanted)) return [keep(), keep()];
            main = page;
            wanted = now;
            turn += 1;
            drawn = {};
            remember({
                pair: now.pair,
                rule: now.rule,
                state: state === "all" ? null : state,
                snoozed: now.snoozed,
                from: address(now.from),
                to: address(now.to),
            });
            look(Object.assign({ turn: turn }, now));
            return [texts.reading, "pane-empty is-shown"];
        },

        /* Draw the newest page once, what is new on top, and older pages below. */
        draw: (first, live, older) => {
            grid((api) => {
                const news = live && live.turn === turn ? live.rows : [];
                if (first && first.turn === turn && filled !== turn) {
                    const ids = new Set(first.rows.map((row) => row.id));
                    filled = turn;
                    fill(
                        api,
                        first.rows.concat(
                            news.filter((row) => !row.is_old && !row.is_gone && !ids.has(row.id)),
                        ),
                    );
                    more(first.cursor, true);
                } else if (filled === turn && first && first.turn === turn && drawn.first !== first) {
                    merge(api, [...first.rows, ...missing(first, news)]);
                }
                if (filled !== turn) return;
                if (drawn.live !== live || drawn.first !== first) merge(api, news);
                if (older && older.turn === turn && drawn.older !== older) {
                    merge(api, older.rows);
                    more(older.cursor);
                }
                drawn = { first: first, live: live, older: older };
            });
            return turn;
        },

        /* Show at once what has been said of an incident. */
        marked: (row) => {
            if (row) grid((api) => merge(api, [row]));
            return keep();
        },

        sound: (on) => {
            const was = sounding();
            localStorage.setItem("sound", on ? "on" : "off");
            if (on && !was) tone();
            return "";
        },

        hear: () => {
            if (sounding()) tone();
            return keep();
        },
    };

    document.addEventListener("click", visit);
    document.addEventListener("click", pressed);
    document.addEventListener("change", chosen);
    document.addEventListener("pointerdown", touched);
    document.addEventListener("keydown", touched);
    window.setInterval(sweep, SWEEP_EVERY_MS);
})();
