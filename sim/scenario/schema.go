package scenario

import _ "embed"

//go:embed schema.json
var schemaFile string

// Schema is the JSON Schema (2020-12) of scenario files.
func Schema() string { return schemaFile }
