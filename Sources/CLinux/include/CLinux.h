#ifndef WAYBILL_CLINUX_H
#define WAYBILL_CLINUX_H

/* The few system calls that Swift cannot import, and nothing else. */

/* ---- files (files.c) ---- */
#include "files.h"

#endif
