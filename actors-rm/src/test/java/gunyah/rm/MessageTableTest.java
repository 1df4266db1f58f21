package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.MessageId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of messages as people read it: {@code -Dgunyah.docs.write=true} writes the document anew. */
class MessageTableTest {
    private static final Path DOCUMENT = Path.of(System.getProperty("gunyah.root"), "docs/rm-messages.md");

    private final MessageTable table = new MessageTable();

    @Test
    void theDocumentSaysWhatTheTableSays() throws IOException {
        String text = document();
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(DOCUMENT, text);
        }

        assertThat(Files.readString(DOCUMENT)).isEqualTo(text);
    }

    @Test
    void everyRowIsARequest() {
        assertThat(table.rows()).noneMatch(row -> row.id().isNotification());
        assertThat(table.rows()).allMatch(row -> !row.errors().isEmpty());
    }

    private String document() {
        List<MessageId> all = Stream.of(MessageId.values())
                .sorted(Comparator.comparing((MessageId m) -> Integer.toUnsignedLong(m.id()))).toList();
        StringBuilder text = new StringBuilder("""
                # Messages of the Resource Manager

                Written by `MessageTableTest` from `MessageTable` and `MessageId`; do not edit. Fields are little endian;
                `pad` is ignored, `zero` is checked, `*` repeats; a list is `u16 count, u16 spare, entries`. Every reply
                begins with a u32 error word. "Who": *owner* of the VM named in the request, *query* = that VM (also as 0),
                its owner or a peer, *console* = that VM as 0 or its owner, *self* = about the caller, *any* = the service
                looks for itself. A request without "who" is answered UNIMPLEMENTED.

                ## Requests

                | id | name | request | reply | who | states | errors |
                |---|---|---|---|---|---|---|
                """);
        all.stream().filter(m -> !m.isNotification()).map(this::requestLine).forEach(text::append);
        text.append("\n## Notifications\n\n| id | name | payload |\n|---|---|---|\n");
        all.stream().filter(MessageId::isNotification)
                .map(m -> "| %08x | %s | %s |\n".formatted(m.id(), m, m.layout())).forEach(text::append);
        return text.toString();
    }

    private String requestLine(MessageId id) {
        Optional<MessageRow<?>> row = table.row(id.id());
        String who = row.map(r -> r.scope().who()).orElse("");
        String states = row.flatMap(r -> r.scope().statesInWords()).orElse("");
        String errors = row.map(r -> r.errors().stream().map(Enum::name).sorted().collect(Collectors.joining(", ")))
                .orElse("UNIMPLEMENTED");
        return "| %08x | %s | %s | %s | %s | %s | %s |\n"
                .formatted(id.id(), id, id.layout(), id.replyLayout(), who, states, errors).replace("|  |", "| |")
                .replace("|  |", "| |");
    }
}
