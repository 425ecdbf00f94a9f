// This file carries what another program's log line knows of a place in source.

package capture

import "log/slog"

// Foreign is where a record was logged that this process only reads. As a
// record's attribute it becomes the alert's source and stack.
type Foreign struct {
	Source *slog.Source // nil = unknown
	Stack  string       // "" = unknown
}
