#ifndef WAYBILL_CLINUX_SIGNALS_H
#define WAYBILL_CLINUX_SIGNALS_H

/* ---- Signals that a process wants to hear of (signals.c) ---- */

/* From now on these signals do no more than write a byte with their number to a pipe. `SIGHUP` stays ignored where it is:
   that is what `nohup` asks for. Returns the pipe's end to read from, or -1 with errno. Once in a process. */
int wb_hear_signals(const int *numbers, int count);

#endif
