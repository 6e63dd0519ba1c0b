/* The page's address: what it asks for, what of that is wrong, and what is written into it. */
(() => {
    "use strict";

    const { texts, written } = window.pairstream;
    const said = texts.address;
    let wrong = {}; // by parameter, what is said of it
    let page = null; // the opening of a page of which that is

    function query() {
        return new URLSearchParams(window.location.search);
    }

    /* Whether the page that is open is that of the address: after "back" another one follows a little later. */
    function isOfPage() {
        const main = document.querySelector("main");
        return !main || main.id === `page-${window.location.pathname.slice(1) || "market"}`;
    }

    /* Write what is seen into the address, so that it can be sent to somebody. */
    function remember(entries) {
        if (!isOfPage()) return;
        const params = query();
        for (const [name, value] of Object.entries(entries)) {
            if (value !== null && value !== undefined && value !== "") params.set(name, value);
            else params.delete(name);
        }
        const search = params.toString();
        window.history.replaceState(
            window.history.state,
            "",
            window.location.pathname + (search ? `?${search}` : ""),
        );
    }

    /* What was wrong with the address of a page that is no longer open is not said any more. */
    function review() {
        const main = document.querySelector("main");
        const isNext = page !== null && main !== page;
        page = main;
        if (!isNext) return;
        wrong = {};
        say();
    }

    function say() {
        window.pairstream.set("address-wrong-text", { children: Object.values(wrong).join(" ") });
    }

    function complain(name, value, expected) {
        review();
        wrong[name] = said.wrong(name, value, expected);
        say();
    }

    /* The value of a parameter, `otherwise` where there is none or one that is not allowed. */
    function oneOf(name, allowed, otherwise) {
        const value = query().get(name);
        if (!value || allowed.includes(value)) return value || otherwise;
        complain(name, value, said.oneOf(allowed));
        return otherwise;
    }

    /* Those of the values of a parameter, with commas between them, that are allowed. */
    function someOf(name, allowed) {
        const values = (query().get(name) || "").split(",").filter((one) => one);
        const strange = values.filter((one) => !allowed.includes(one));
        if (strange.length) complain(name, strange.join(","), said.someOf(allowed));
        return values.filter((one) => allowed.includes(one));
    }

    /* The moment of a parameter in ms since the epoch, null where there is none. */
    function time(name) {
        const value = query().get(name);
        const at = written(value);
        if (value && at === null) complain(name, value, said.time);
        return at;
    }

    Object.assign(window.pairstream, { query, remember, review, complain, oneOf, someOf, time });

    document.addEventListener("click", ({ target }) => {
        if (!(target instanceof Element) || !target.closest("#address-wrong-close")) return;
        wrong = {};
        say();
    });
})();
