package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioArchiveTest {
    @Test
    void anEntryIsHeaderNameAndContentsPaddedToFourBytes() {
        byte[] archive = new CpioArchive().file("init", 0755, new byte[] {'h', 'i'}).toBytes();

        String header = "070701" + "00000001" + "000081ed" + "00000000" + "00000000" + "00000001" + "00000000"
                + "00000002" + "00000000" + "00000000" + "00000000" + "00000000" + "00000005" + "00000000";
        assertThat(new String(archive, StandardCharsets.ISO_8859_1)).startsWith(header + "init\0\0hi\0\0" + "070701")
                .contains("TRAILER!!!\0");
        assertThat(archive.length % 4).isZero();
    }

    @Test
    void cpioItselfReadsTheDebianInitramfs(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/cpio")), "cpio is not installed");
        Path archive = Files.write(directory.resolve("a.cpio"), DebianInitramfs.build(new byte[] {1, 2, 3},
                "6.1.0", Map.of("virtio_blk", new byte[] {7}, "other", new byte[] {8})));

        Process cpio = new ProcessBuilder("cpio", "-itv", "--quiet").redirectInput(archive.toFile())
                .redirectErrorStream(true).start();
        String listing = new String(cpio.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(cpio.waitFor()).as(listing).isZero();
        assertThat(listing).containsPattern("crw-------.*5, +1.*dev/console").contains("bin/sh -> busybox")
                .containsPattern("-rwxr-xr-x.* 3 .*bin/busybox").contains("lib/modules/6.1.0/virtio_blk.ko")
                .doesNotContain("other").containsPattern("-rwxr-xr-x.*init");
    }
}
