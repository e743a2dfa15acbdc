#include "cli/update_menu.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"

#define CURSOR   "⇒"
#define PICKED   "◉"
#define LEFT_OUT "◯"
#define INDENT   4
#define ESCAPE   '\x1b'

/* A line of the menu. */
struct item {
    size_t result, update; /* `update` SIZE_MAX: there is nothing to pick */
    bool is_first;         /* of its workload */
    bool is_picked;
    char *text; /* the last column */
};

struct update_menu {
    const struct result_list *results;
    struct item *items;
    size_t len, capacity;
    size_t cursor; /* SIZE_MAX: nothing can be picked */
    size_t workload_width, status_width;
};

/* -- what is in it --------------------------------------------------------------------------------------------------- */

/* The terminal obeys no byte that comes from elsewhere. */
static char *printable(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    return text;
}

static bool can_pick(const struct item *item)
{
    return item->update != SIZE_MAX;
}

static void add_item(struct update_menu *menu, size_t result, size_t update, char *text)
{
    bool is_first = !menu->len || menu->items[menu->len - 1].result != result;
    vec_grow(menu->items, menu->len, menu->capacity);
    menu->items[menu->len] = (struct item){.result = result,
                                           .update = update,
                                           .is_first = is_first,
                                           .is_picked = update != SIZE_MAX,
                                           .text = printable(text)};
    if (menu->cursor == SIZE_MAX && update != SIZE_MAX)
        menu->cursor = menu->len;
    menu->len++;
}

static void widen(size_t *width, const char *text)
{
    size_t len = strlen(text);
    *width = len > *width ? len : *width;
}

static void add_result(struct update_menu *menu, size_t at)
{
    const struct workload_result *result = &menu->results->items[at];
    bool has_message = result->message && *result->message;
    widen(&menu->workload_width, result->workload);
    widen(&menu->status_width, result_status_name(result->status));
    if (has_message || !result->updates_len)
        add_item(menu, at, SIZE_MAX, xstrdup(has_message ? result->message : ""));
    for (size_t i = 0; i < result->updates_len; i++)
        add_item(menu, at, i, result_update_text(&result->updates[i]));
}

struct update_menu *update_menu_new(const struct result_list *results, const struct result_format *format)
{
    struct update_menu *menu = xcalloc(1, sizeof(*menu));
    *menu = (struct update_menu){.results = results,
                                 .cursor = SIZE_MAX,
                                 .workload_width = strlen("WORKLOAD"),
                                 .status_width = strlen("STATUS")};
    for (size_t i = 0; i < results->len; i++) {
        if (result_is_shown(&results->items[i], format))
            add_result(menu, i);
    }
    return menu;
}

void update_menu_free(struct update_menu *menu)
{
    if (!menu)
        return;
    for (size_t i = 0; i < menu->len; i++)
        free(menu->items[i].text);
    free(menu->items);
    free(menu);
}

void update_menu_release(struct update_menu **menu)
{
    update_menu_free(*menu);
    *menu = NULL;
}

size_t update_menu_count(const struct update_menu *menu)
{
    size_t count = 0;
    for (size_t i = 0; i < menu->len; i++)
        count += can_pick(&menu->items[i]);
    return count;
}

bool update_menu_is_picked(const struct update_menu *menu, size_t result, size_t update)
{
    for (size_t i = 0; i < menu->len; i++) {
        const struct item *item = &menu->items[i];
        if (item->result == result && item->update == update)
            return can_pick(item) && item->is_picked;
    }
    return false;
}

/* -- keys ------------------------------------------------------------------------------------------------------------ */

enum key { KEY_OTHER, KEY_NEXT, KEY_PREVIOUS, KEY_PICK, KEY_SUBMIT, KEY_ABORT };

/* The key at the beginning of the bytes; *len becomes its length. */
static enum key read_key(const char *bytes, size_t *len)
{
    static const struct {
        const char *bytes;
        enum key key;
    } keys[] = {
        {"\x1b[B", KEY_NEXT},     {"\x1bOB", KEY_NEXT},     {"j", KEY_NEXT},     {"\t", KEY_NEXT},
        {"\x1b[A", KEY_PREVIOUS}, {"\x1bOA", KEY_PREVIOUS}, {"k", KEY_PREVIOUS}, {" ", KEY_PICK},
        {"\r", KEY_SUBMIT},       {"\n", KEY_SUBMIT},       {"q", KEY_ABORT},    {"\x03", KEY_ABORT},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t key_len = strlen(keys[i].bytes);
        if (key_len > *len || memcmp(bytes, keys[i].bytes, key_len) != 0)
            continue;
        *len = key_len;
        return keys[i].key;
    }
    if (bytes[0] != ESCAPE || *len == 1) {
        *len = 1;
        return bytes[0] == ESCAPE ? KEY_ABORT : KEY_OTHER;
    }
    return KEY_OTHER; /* a sequence of another key, which ends what was typed at once */
}

/* The next item that can be picked in that direction, around the ends. */
static void move(struct update_menu *menu, size_t step)
{
    do
        menu->cursor = (menu->cursor + step) % menu->len;
    while (!can_pick(&menu->items[menu->cursor]));
}

static enum menu_state press(struct update_menu *menu, enum key key)
{
    switch (key) {
    case KEY_SUBMIT:
        return MENU_SUBMITTED;
    case KEY_ABORT:
        return MENU_ABORTED;
    case KEY_PICK:
        menu->items[menu->cursor].is_picked = !menu->items[menu->cursor].is_picked;
        break;
    case KEY_NEXT:
        move(menu, 1);
        break;
    case KEY_PREVIOUS:
        move(menu, menu->len - 1);
        break;
    case KEY_OTHER:
        break;
    }
    return MENU_OPEN;
}

enum menu_state update_menu_type(struct update_menu *menu, const char *bytes, size_t len)
{
    enum menu_state state = menu->cursor == SIZE_MAX ? MENU_ABORTED : MENU_OPEN;
    for (size_t at = 0, key_len; state == MENU_OPEN && at < len; at += key_len) {
        key_len = len - at;
        state = press(menu, read_key(bytes + at, &key_len));
    }
    return state;
}

/* -- drawing ----------------------------------------------------------------------------------------------------------- */

/* As many characters as there are columns. */
static void add_cut(struct strbuf *out, const char *text, size_t columns)
{
    size_t shown = 0;
    for (const char *c = text; *c; c++) {
        bool begins = ((unsigned char)*c & 0xc0) != 0x80;
        if (begins && shown++ == columns)
            break;
        strbuf_addch(out, *c);
    }
    strbuf_addstr(out, "\r\n");
}

static void draw_item(const struct update_menu *menu, size_t at, size_t columns, struct strbuf *out)
{
    const struct item *item = &menu->items[at];
    const struct workload_result *result = &menu->results->items[item->result];
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_addf(&line, "%s %s ", at == menu->cursor ? CURSOR : " ",
                !can_pick(item)   ? " "
                : item->is_picked ? PICKED
                                  : LEFT_OUT);
    strbuf_addf(&line, "%-*s  %-*s  %s", (int)menu->workload_width, item->is_first ? result->workload : "",
                (int)menu->status_width, item->is_first ? result_status_name(result->status) : "",
                item->text);
    add_cut(out, line.buf, columns);
}

size_t update_menu_draw(const struct update_menu *menu, size_t columns, size_t rows, struct strbuf *out)
{
    size_t first = 0, shown = menu->len;
    if (rows > 1 && menu->len > rows - 1) {
        shown = rows - 1;
        size_t half = shown / 2, cursor = menu->cursor == SIZE_MAX ? 0 : menu->cursor;
        first = cursor > half ? cursor - half : 0;
        first = first > menu->len - shown ? menu->len - shown : first;
    }
    CLEANUP(strbuf_release) struct strbuf heading = STRBUF_INIT;
    strbuf_addf(&heading, "%*s%-*s  %-*s  UPDATES", INDENT, "", (int)menu->workload_width, "WORKLOAD",
                (int)menu->status_width, "STATUS");
    add_cut(out, heading.buf, columns);
    for (size_t i = first; i < first + shown; i++)
        draw_item(menu, i, columns, out);
    return shown + 1;
}

/* -- on a terminal ------------------------------------------------------------------------------------------------------ */

/* The keys of one sequence come together, or shortly after another. */
#define SEQUENCE_MS 50

static void write_all(const struct strbuf *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t now = write(STDERR_FILENO, text->buf + done, text->len - done);
        if (now < 0 && errno != EINTR)
            return;
        done += now > 0 ? (size_t)now : 0;
    }
}

/* In the place of what was drawn before. */
static size_t redraw(const struct update_menu *menu, size_t lines_before)
{
    struct winsize size = {0};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    bool has_size = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
    if (lines_before)
        strbuf_addf(&text, "\x1b[%zuA\r\x1b[J", lines_before);
    size_t lines =
        update_menu_draw(menu, has_size ? size.ws_col - 1u : 79, has_size ? size.ws_row - 1u : 0, &text);
    write_all(&text);
    return lines;
}

/* What is typed, with the rest of a sequence that has begun; 0 at its end. */
static size_t read_keys(char *bytes, size_t size)
{
    ssize_t len;
    do
        len = read(STDIN_FILENO, bytes, size);
    while (len < 0 && errno == EINTR);
    struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
    while (len > 0 && (size_t)len < size && bytes[len - 1] == ESCAPE && poll(&more, 1, SEQUENCE_MS) > 0) {
        ssize_t rest = read(STDIN_FILENO, bytes + len, size - (size_t)len);
        if (rest <= 0)
            break;
        len += rest;
    }
    return len > 0 ? (size_t)len : 0;
}

static void restore(const struct termios *before)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
}

int update_menu_run(struct update_menu *menu, enum menu_state *state, struct error *err)
{
    struct termios now;
    if (!isatty(STDERR_FILENO) || tcgetattr(STDIN_FILENO, &now) < 0)
        return error_set(err, ERROR_USAGE,
                         "--interactive needs a terminal, to show the updates and read keys");
    CLEANUP(restore) const struct termios before = now;
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    size_t lines = 0;
    for (*state = MENU_OPEN; *state == MENU_OPEN;) {
        char bytes[32];
        lines = redraw(menu, lines);
        size_t len = read_keys(bytes, sizeof(bytes));
        *state = len ? update_menu_type(menu, bytes, len) : MENU_ABORTED;
    }
    (void)redraw(menu, lines);
    return 0;
}
