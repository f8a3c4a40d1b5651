package protocol_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol"
)

// Every JSON example in docs/protocol.md is a message that Kapok takes or sends,
// and every type of message has an example.
func TestExamplesOfTheProtocol(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{
		"hello": true, "telemetry": true, "ack": true, "progress": true, "fault": true, "welcome": true,
		"alive": true, "mission": true, "command": true, "received": true, "error": true,
	}
	typeOf := regexp.MustCompile(`^\{"type":"([a-z]+)"`)
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		example := strings.TrimSpace(block[1])
		name := typeOf.FindStringSubmatch(example)
		if name == nil {
			t.Errorf("an example does not start with its type: %s", example)
			continue
		}
		delete(missing, name[1])
		_, fromErr := protocol.JSON.DecodeFrom([]byte(example))
		_, toErr := protocol.JSON.DecodeTo([]byte(example))
		if fromErr != nil && toErr != nil {
			t.Errorf("%s: read as a vehicle's: %v; read as Kapok's: %v", name[1], fromErr, toErr)
		}
	}
	for name := range missing {
		t.Errorf("docs/protocol.md has no example of %s", name)
	}
}
