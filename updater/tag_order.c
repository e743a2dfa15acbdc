#include "updater/tag_order.h"

#include <string.h>

#include "updater/semver.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares the numbers that both texts start with, and moves past them. */
static int compare_numbers(const char **a, const char **b)
{
    const char *x = *a, *y = *b;
    while (*x == '0')
        x++;
    while (*y == '0')
        y++;
    size_t x_len = strspn(x, "0123456789"), y_len = strspn(y, "0123456789");
    *a = x + x_len;
    *b = y + y_len;
    if (x_len != y_len)
        return x_len < y_len ? -1 : 1;
    return memcmp(x, y, x_len);
}

/* Walks both texts as long as they differ in numbers only. The order of the first numbers that differ; *a and
 * *b are where the texts stop being the same, or at both ends. */
static int compare_while_same(const char **a, const char **b)
{
    int order = 0;
    while (**a && **b) {
        if (is_digit(**a) && is_digit(**b)) {
            int number_order = compare_numbers(a, b);
            order = order ? order : number_order;
        } else if (**a == **b) {
            ++*a;
            ++*b;
        } else {
            break;
        }
    }
    return order;
}

int tag_compare_natural(const char *a, const char *b)
{
    const char *x = a, *y = b;
    int order = compare_while_same(&x, &y);
    if (!order)
        order = (unsigned char)*x - (unsigned char)*y;
    return order ? order : strcmp(a, b);
}

bool tag_compare_versions(const char *a, const char *b, int *order)
{
    struct semver x, y;
    if (!semver_parse(a, &x) || !semver_parse(b, &y) || x.parts != y.parts)
        return false;
    int numbers = compare_while_same(&a, &b);
    if (*a || *b)
        return false;
    *order = numbers;
    return true;
}
