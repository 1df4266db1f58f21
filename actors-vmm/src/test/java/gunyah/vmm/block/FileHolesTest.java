package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holes and locks of a file stick to when names change; {@link VirtioBlockTest} has the holes themselves. */
class FileHolesTest {
    @TempDir
    private Path directory;

    @Test
    void aFileThatWasReplacedIsStillTheOneThatIsOpen() throws IOException {
        assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
        Path file = Files.writeString(directory.resolve("disk.img"), "first");
        FileHoles holes = FileHoles.open(file);
        Files.move(file, directory.resolve("moved.img"));
        Files.writeString(file, "second");

        assertThat(holes.path(file)).hasContent("first");
        assertThat(holes.lock()).isTrue();
        FileHoles second = FileHoles.open(file);
        assertThat(second.lock()).as("of the file that has the name now").isTrue();

        second.close();
        holes.close();
        assertThat(holes.path(file)).isEqualTo(file);
    }

    @Test
    void whatCannotBeOpenedHasNone() {
        assertThat(FileHoles.open(directory.resolve("missing"))).isSameAs(FileHoles.NONE);
        assertThat(FileHoles.NONE.free(0, 4096)).isFalse();
        assertThat(FileHoles.NONE.zero(0, 4096)).isFalse();
    }
}
