"""The bench: programs in turn on the same work, compared by their ratio.

    command_line  what the user asked for
    works         the table of works: which data, which file system, which two programs
    data_sets     what is copied, made from a seed
    programs      the programs' command lines, and which of them can run here
    session       mounts and directories of one run, and their removal
    places        the file systems that works run on
    slow_server   the one on which everything has to be waited for
    dear_calls    what a system call costs, and how it costs more
    processes     one timed run of one program
    engine_lines  what ringcp tells of its engine
    agent         ringcpd for the works that go through it
    copies        whether a copy is right
    measure       one work: A B A B ...
    pairs         the statistics of the pairs
    growth        how much more a larger tree or file may cost
    targets       what works have to reach
    machine       what the numbers depend on
    report        the table and the JSON document
    main          all of it in order
    in_process    the engine's parts instead of whole programs

The bench uses the standard library only, and no more memory than needed, because the peak
that the kernel reports for a measured process is never below what this process had in use
when it started it (see processes).
"""
