// Command kapok is all of Kapok in one binary: the backend, its demonstration,
// the simulator, and the client of a running backend. Each sub-command has a
// file of its own.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}
