/* The watch over a page's stream, and the polls while it is silent. */
(() => {
    "use strict";

    const SILENT_MS = 4000; // the stream marks every second
    const POLL_EVERY_MS = 2000;
    const POLL_AGAIN_MS = 10000; // Dash drops an answer that comes after the next question
    const POLL_SILENT_MS = 13000;
    const KICK_EVERY_MS = 10000;
    const { texts, held, props, set, tell, looking, keep } = window.pairstream;
    const heard = { stream: window.SharedWorker ? Date.now() : 0, poll: 0, polled: 0, kick: Date.now() };

    /* Poll while the stream is silent, ask for a new stream now and then, and say which of them feeds the page.
       A timer and not a callback: a callback once a second costs more than all else the page does in that second. */
    function watch() {
        const api = window.dash_component_api;
        const store = api && document.getElementById("services") && api.getLayout("mark");
        if (!store) return;
        const now = Date.now();
        const selection = looking();
        const mark = store.props.data;
        if (mark && mark.second !== heard.second) {
            heard.second = mark.second;
            heard[mark.via] = now;
            if (document.title !== mark.title) document.title = mark.title;
        }
        const streaming = now - heard.stream < SILENT_MS;
        const link = streaming ? "stream" : now - heard.poll < POLL_SILENT_MS ? "poll" : "offline";
        const isAnswered = (props("polled").data || { at: 0 }).at === heard.polled;
        if (!streaming && now - heard.polled >= (isAnswered ? POLL_EVERY_MS : POLL_AGAIN_MS) && selection) {
            heard.polled = now;
            heard.asked = { mark: mark, selection: selection };
            const ranges = {};
            for (const chart of document.querySelectorAll("main [id^='chart-']")) {
                const drawn = held(chart.id);
                if (drawn) ranges[chart.id] = drawn.props.visibleLogicalRange;
            }
            set("poll", { data: { at: now, selection: selection, mark: mark, ranges: ranges } });
        }
        if (document.body.dataset.link !== link) {
            document.body.dataset.link = link;
            set("offline", {
                children: link === "offline" && heard.second !== undefined ? texts.offline : "",
            });
        }
        if (!streaming && window.SharedWorker && now - heard.kick > KICK_EVERY_MS) {
            heard.kick = now;
            heard.kicks = (heard.kicks || 0) + 1;
            set("kick", { data: heard.kicks });
        }
    }

    window.dash_clientside.stream = {
        /* Show the answer to a poll, unless the stream has spoken since the question, or the reader has: then it is old. */
        take: (answer) => {
            if (!answer) return keep();
            const { at, props: news } = answer;
            answer.props = {}; // the store keeps the answer
            if (props("mark").data !== heard.asked.mark || looking() !== heard.asked.selection) return keep();
            for (const [id, values] of Object.entries(news)) {
                if (held(id)) set(id, values);
            }
            tell({ polled: at });
            return at;
        },
    };

    window.setInterval(watch, 1000);
})();
