// This file marks a value as an error code, whatever key it stands under.

package capture

// Code is an error code. A record attribute of this type is the record's code
// although its key isn't CodeKey: who made the record didn't know the key.
type Code string

// String is the code as it is shown.
func (c Code) String() string { return string(c) }
