package protocol

import (
	"embed"
	"io/fs"
)

//go:embed schema/*.json
var schemaFiles embed.FS // Embedding works only into a variable; nothing writes to it.

// Schemas returns the JSON Schemas (draft 2020-12) of the messages as files
// named after their types: hello.json, telemetry.json, and so on. They state
// the fields, their bounds and their meaning; what a schema cannot say, such as
// the order of samples, is left to Validate.
func Schemas() fs.FS {
	files, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		return schemaFiles // Cannot happen: the name is a valid path.
	}
	return files
}
