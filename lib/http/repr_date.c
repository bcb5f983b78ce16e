/* repr_date.c - ISO-8601 instants, RFC 3339 profile. Own arithmetic: timegm and strptime know no
 * fractions, and accept more than the profile allows. */
#include "lib/http/repr.h"

#include <errno.h>
#include <stdio.h>

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar. Years begin in March here, so
 * that the leap day is a year's last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

/* Exactly `digits` digits; -1 otherwise. */
static int number(const char **at, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool skip(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool parse_day(const char **at, int64_t *ret_days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = number(at, 4);
    bool ok = year >= 0 && skip(at, '-');
    int month = ok ? number(at, 2) : -1;
    ok = month >= 1 && month <= 12 && skip(at, '-');
    int day = ok ? number(at, 2) : -1;
    if (day < 1 || day > lengths[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2 && day == 29 && !leap)
        return false;
    *ret_days = days_of(year, month, day);
    return true;
}

static bool parse_fraction(const char **at, int *ret_ms)
{
    *ret_ms = 0;
    if (!skip(at, '.'))
        return true;
    int digits = 0;
    for (int weight = 100; **at >= '0' && **at <= '9'; (*at)++, weight /= 10, digits++)
        *ret_ms += (**at - '0') * weight;
    return digits > 0 && digits <= 9;
}

static bool parse_clock(const char **at, int64_t *ret_ms)
{
    int hour = number(at, 2);
    bool ok = hour >= 0 && hour <= 23 && skip(at, ':');
    int minute = ok ? number(at, 2) : -1;
    ok = minute >= 0 && minute <= 59 && skip(at, ':');
    int second = ok ? number(at, 2) : -1;
    int ms = 0;
    if (second < 0 || second > 60 || !parse_fraction(at, &ms))
        return false;
    *ret_ms = ((hour * 60 + minute) * (int64_t)60 + second) * 1000 + ms;
    return true;
}

static bool parse_offset(const char **at, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (skip(at, 'Z') || skip(at, 'z'))
        return true;
    int sign = **at == '+' ? 1 : **at == '-' ? -1 : 0;
    if (sign == 0)
        return false;
    (*at)++;
    int hour = number(at, 2);
    bool ok = hour >= 0 && hour <= 23;
    if (ok)
        (void)skip(at, ':'); /* "+0100" is common */
    int minute = ok ? number(at, 2) : -1;
    if (minute < 0 || minute > 59)
        return false;
    *ret_ms = sign * (hour * 60 + minute) * (int64_t)60000;
    return true;
}

int repr_date_time_parse(const char *text, int64_t *ret_at_ms)
{
    const char *at = text;
    int64_t days = 0, clock_ms = 0, offset_ms = 0;
    if (!parse_day(&at, &days) || !(skip(&at, 'T') || skip(&at, 't')) ||
        !parse_clock(&at, &clock_ms) || !parse_offset(&at, &offset_ms) || *at != '\0')
        return -EINVAL;
    *ret_at_ms = days * 86400000 + clock_ms - offset_ms;
    return 0;
}

void repr_date_time_format(int64_t at_ms, char out[REPR_DATE_TIME_CHARS])
{
    static const int64_t day_ms = 86400000, last_ms = 253402300799999, first_ms = -62167219200000;
    at_ms = at_ms > last_ms ? last_ms : at_ms < first_ms ? first_ms : at_ms; /* years 0..9999 */
    int64_t days = at_ms / day_ms, rest = at_ms % day_ms;
    if (rest < 0) {
        rest += day_ms;
        days--;
    }
    int year, month, day;
    date_of(days, &year, &month, &day);
    int second = (int)(rest / 1000);
    (void)snprintf(out, REPR_DATE_TIME_CHARS, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year % 10000,
                   month % 100, day % 100, second / 3600 % 100, second / 60 % 60, second % 60,
                   (int)(rest % 1000));
}
