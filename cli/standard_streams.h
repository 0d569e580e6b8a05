// Makes standard input, output and error safe to have.
//
// Thread-safety: called by main() before anything is opened.

#ifndef RINGCP_CLI_STANDARD_STREAMS_H_
#define RINGCP_CLI_STANDARD_STREAMS_H_

namespace ringcp {

// Occupies those of descriptors 0, 1 and 2 that the process was started without, so that
// no file is opened as one of them and gets messages written into it. What is written to
// them fails, as it would have.
void OccupyStandardStreams();

}  // namespace ringcp

#endif  // RINGCP_CLI_STANDARD_STREAMS_H_
