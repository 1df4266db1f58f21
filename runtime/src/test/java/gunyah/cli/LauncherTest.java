package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {
    @Test
    void withoutJdk25ItSaysWhatToInstall(@TempDir Path empty) throws Exception {
        Path launcher = Path.of(System.getProperty("gunyah.root")).resolve("gunyah");
        ProcessBuilder process = new ProcessBuilder("bash", launcher.toString(), "run").redirectErrorStream(true);
        Map<String, String> environment = process.environment();
        environment.clear();
        environment.put("PATH", "/usr/bin:/bin");
        environment.put("GUNYAH_JDK_DIRS", empty.toString());

        Process launched = process.start();
        String output = new String(launched.getInputStream().readAllBytes());

        assertThat(output).startsWith("gunyah: no JDK 25 found: install one").hasLineCount(1);
        assertThat(launched.waitFor()).isEqualTo(2);
    }
}
