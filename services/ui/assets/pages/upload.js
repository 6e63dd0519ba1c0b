/* Files to upload: they go from here to the server, never through a callback. */
(() => {
    "use strict";

    const COLUMNS = ["time", "clock", "symbol", "open", "high", "low", "close", "volume"];
    const FIELDS = [
        "symbols",
        "zone",
        "delimiter",
        "decimal",
        "thousands",
        "time_unit",
        "date_order",
        "time_format",
    ];
    const WHOLE = /\.(zip|xlsx|xlsm|parquet|pq|jsonl?|ndjson)$/i; // cut off, they cannot be read
    const DELIMITERS = { comma: ",", semicolon: ";", tab: "\t", pipe: "|" };
    const PREVIEWED = 1 << 20; // so much of a file is enough to preview it
    const LINE = 1 << 16;
    const WAIT_MS = 500; // a word is typed to its end
    const { look, set, props, keep } = window.pairstream;
    const texts = window.pairstream.texts.upload;

    let files = [];
    let request = null; // on its way
    let sending = null; // [sent, all] in bytes while files are stored
    let shape = "idle";
    let turn = 0;
    let waiting = 0;
    let said = ""; // of the files, when they were last previewed

    const isOpen = () => document.getElementById("page-upload") !== null;

    function put(id, changes) {
        if (isOpen()) set(id, changes);
    }

    /* Show what belongs to idle, preview, refused or sending; while `busy` what is shown stays. */
    function phase(name, busy) {
        shape = name;
        put("upload-panel", { className: `upload-panel is-${name}${busy ? " is-busy" : ""}` });
    }

    /* Send a form; the promise is null if it was aborted, status 0 if nobody answered. */
    function send(path, form, progress) {
        if (request) request.abort();
        const mine = new XMLHttpRequest();
        request = mine;
        return new Promise((resolve) => {
            const end = (answer) => {
                if (request === mine) request = null;
                resolve(answer);
            };
            mine.open("POST", path);
            mine.upload.onprogress = progress || null;
            mine.onabort = () => end(null);
            mine.onerror = () => end({ status: 0, document: null });
            mine.onload = () => {
                let said = null;
                try {
                    said = JSON.parse(mine.responseText);
                } catch {
                    said = null; // no problem document: the status alone is told
                }
                end({ status: mine.status, document: said });
            };
            mine.send(form);
        });
    }

    /* The first megabyte to the end of a line; what cannot be read without its end goes whole. */
    async function beginning(file) {
        if (file.size <= PREVIEWED || WHOLE.test(file.name)) return file;
        const part = file.slice(0, PREVIEWED);
        if (/\.gz$/i.test(file.name)) return part;
        const tail = new Uint8Array(await part.slice(-LINE).arrayBuffer());
        const end = tail.lastIndexOf(10);
        return end < 0 ? part : part.slice(0, PREVIEWED - tail.length + end + 1);
    }

    /* What is said of the files, as fields of the form. */
    function options() {
        const said = (id) => (props(id).value || "").trim();
        const fields = FIELDS.map((field) => [field, said(`file-${field}`)]).filter((entry) => entry[1]);
        const mapping = COLUMNS.map((field) => [field, said(`column-${field}`)])
            .filter((entry) => entry[1])
            .map(([field, name]) => [field, /^\d+$/.test(name) ? Number(name) : name]);
        return mapping.length
            ? fields.concat([["mapping", JSON.stringify(Object.fromEntries(mapping))]])
            : fields;
    }

    function form(parts) {
        const made = new FormData();
        for (const [n, part] of parts.entries()) made.append("files", part, files[n].name);
        for (const [field, said] of options()) made.append(field, said);
        return made;
    }

    /* Offer the names that stand in the head of the first file. */
    async function offer(reading) {
        if (/\.gz$/i.test(files[0].name) || WHOLE.test(files[0].name)) return;
        const lines = (await files[0].slice(0, LINE).text()).replace(/^\ufeff/, "").split(/\r?\n/);
        const head = lines[Math.max(reading.header_line || 1, 1) - 1] || "";
        const cut =
            DELIMITERS[reading.delimiter] || Object.values(DELIMITERS).find((sign) => head.includes(sign));
        if (reading.header_line === 0 || !cut) return;
        const names = head.split(cut).map((name) => name.trim().replace(/^"|"$/g, ""));
        for (const field of COLUMNS) put(`column-${field}`, { data: [...new Set(names.filter(Boolean))] });
    }

    async function preview() {
        const looked = files;
        said = JSON.stringify(options());
        phase(shape, true);
        put("upload-sent", { children: texts.previewing(named()) });
        const parts = await Promise.all(files.map(beginning));
        if (looked !== files) return;
        const answer = await send("/send/v1/datasets/preview", form(parts));
        if (!answer || looked !== files) return;
        const partial = parts.some((part, n) => part.size < files[n].size);
        phase(answer.status === 200 ? "preview" : "refused");
        put("upload-answer", {
            data: Object.assign(answer, { kind: "preview", partial: partial, turn: ++turn }),
        });
        await offer(answer.status === 200 ? answer.document.files[0] : {});
    }

    function named() {
        return files.length === 1 ? files[0].name : texts.files(files.length);
    }

    function size(bytes) {
        return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
    }

    function progress() {
        if (!sending) return;
        const [sent, all] = sending;
        const stored = sent >= all;
        put("upload-progress", { value: stored ? null : String(all ? sent / all : 0) });
        put("upload-cancel", { disabled: stored });
        put("upload-sent", {
            children: stored ? texts.storing(size(all)) : texts.sent(size(sent), size(all)),
        });
    }

    async function store() {
        if (!files.length || sending) return;
        const made = form(files);
        const name = (props("file-name").value || "").trim();
        if (name) made.append("name", name);
        sending = [0, files.reduce((sum, file) => sum + file.size, 0)];
        phase("sending");
        progress();
        const answer = await send("/send/v1/datasets", made, (event) => {
            sending = [event.loaded, event.total];
            progress();
        });
        sending = null;
        put("upload-cancel", { disabled: false });
        if (!answer) {
            phase("preview");
            put("upload-found", {
                children: texts.cancelled(named()),
            });
            return;
        }
        put("upload-answer", { data: Object.assign(answer, { kind: "stored", turn: ++turn }) });
        if (answer.status !== 200 && answer.status !== 201) {
            phase(answer.status ? "preview" : "refused");
            return;
        }
        discard();
        const stored = answer.document.dataset_id;
        if (isOpen()) look({ changed: Date.now(), stored: [stored, answer.status] });
        put("dataset-show", { value: "report" });
        put("dataset", { data: stored });
    }

    function clear() {
        for (const field of COLUMNS) put(`column-${field}`, { value: "", data: [] });
        for (const field of FIELDS) put(`file-${field}`, { value: null, error: "" });
        put("file-name", { value: "", error: "" });
        put("upload-wrong", { children: "" });
        put("upload-question", { children: [] });
    }

    function discard() {
        files = [];
        if (request) request.abort();
        clear();
        phase("idle");
    }

    function take(chosen) {
        if (!chosen.length || sending) return;
        clear();
        files = [...chosen];
        shape = "idle";
        put("dataset", { data: null });
        window.setTimeout(preview); // once what was said of other files is gone
    }

    function choose() {
        const input = document.createElement("input");
        input.type = "file";
        input.multiple = true;
        input.accept = ".csv,.txt,.tsv,.json,.xlsx,.parquet,.gz,.zip,text/csv";
        input.addEventListener("change", () => take(input.files));
        input.click();
    }

    async function copy() {
        const text = document.getElementById("upload-example").textContent;
        try {
            await navigator.clipboard.writeText(text);
            put("upload-copied", { children: texts.copied });
        } catch {
            window.getSelection().selectAllChildren(document.getElementById("upload-example"));
            put("upload-copied", { children: texts.marked });
        }
    }

    function over(event) {
        if (!isOpen() || !event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        const ends = event.type === "drop" || (event.type === "dragleave" && !event.relatedTarget);
        document.getElementById("upload-shown").classList.toggle("is-over", !ends);
        if (event.type === "drop") take(event.dataTransfer.files);
    }

    const presses = {
        "upload-new": () => put("dataset", { data: null }),
        "upload-choose": choose,
        "upload-go": store,
        "upload-discard": discard,
        "upload-cancel": () => (sending || !files.length ? request?.abort() : discard()),
        "upload-copy": copy,
    };

    window.dash_clientside.upload = {
        /* The page has been opened: files that are still on their way are shown again. */
        opened: () => {
            if (!sending) files = [];
            shape = sending ? "sending" : "idle";
            window.setTimeout(progress);
            return `upload-panel is-${shape}`;
        },

        /* Another way to read the files: preview them again. */
        again: () => {
            window.clearTimeout(waiting);
            waiting = window.setTimeout(() => {
                if (files.length && !sending && isOpen() && JSON.stringify(options()) !== said) preview();
            }, WAIT_MS);
            return keep();
        },

        press: () => {
            const pressed = window.dash_clientside.callback_context.triggered_id;
            if (presses[pressed]) presses[pressed]();
            return keep();
        },
    };

    /* A reading that is chosen is said, and the files are previewed by it. */
    document.addEventListener("click", (event) => {
        const { target } = event;
        const chosen =
            isOpen() && target instanceof Element && target.closest("#upload-question [data-option]");
        if (chosen instanceof HTMLElement)
            put(`file-${chosen.dataset.option}`, { value: chosen.dataset.value });
    });

    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, over);
    window.addEventListener("beforeunload", (event) => sending && event.preventDefault());
})();
