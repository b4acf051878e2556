/* A library that is loaded before libc by `LD_PRELOAD`, and lets system calls of one process fail on demand.

   `WAYBILL_FAULTS` names a file that is read anew at each call. Its lines are

       <call> <errno> <text>     calls on paths that hold this text fail with this number; with -1 they end the process
       clock <seconds> <n>       the wall clock is that far ahead; another <n> is a step that was just made

   <call> is one of write, sync, rename, truncate. `<file>.log` gets a line for each sync and for each call that failed:
   `<call> <process> <descriptor> <inode> <errno> <path>`. */
