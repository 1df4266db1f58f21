package gunyah.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents name exists. */
class DocumentsTest {
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)[^)]*\\)");

    @Test
    void everyRelativeLinkLeadsToAFile() throws IOException {
        Path root = Path.of(System.getProperty("gunyah.root"));
        List<String> broken = new ArrayList<>();
        int links = 0;
        for (Path document : documents(root)) {
            Matcher matcher = LINK.matcher(Files.readString(document));
            while (matcher.find()) {
                if (!matcher.group(1).contains("://")) {
                    links++;
                    if (!Files.exists(document.resolveSibling(matcher.group(1)))) {
                        broken.add(root.relativize(document) + ": " + matcher.group(1));
                    }
                }
            }
        }

        assertThat(broken).isEmpty();
        assertThat(links).as("links found").isGreaterThan(50);
    }

    private static List<Path> documents(Path root) throws IOException {
        try (Stream<Path> top = Files.list(root); Stream<Path> docs = Files.walk(root.resolve("docs"))) {
            return Stream.concat(top, docs).filter(file -> file.toString().endsWith(".md")).toList();
        }
    }
}
