package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the JVM is told of regions. */
class CompilationTest {
    /** Other tests run regions that nobody compiles on purpose: they need C1. */
    @AfterEach
    void clear() throws JMException {
        jvm("compilerDirectivesClear");
    }

    @Test
    void regionsAreLeftToC2AndTheJvmIsToldOnce() throws JMException {
        Compilation.leaveToC2();
        Compilation.leaveToC2();

        List<String> directives = jvm("compilerDirectivesPrint").lines().map(String::strip).toList();
        int region = directives.indexOf("matching: gunyah/arm64/translate/TranslatedRegion*.run");
        assertThat(region).as("%s", directives).isNotNegative();
        String ofC1 = directives.subList(region, directives.indexOf("c2 directives:")).toString();
        assertThat(ofC1).containsPattern("Exclude: ?true");
        assertThat(directives.subList(region + 1, directives.size())).noneMatch(line -> line.contains("TranslatedRegion"));
    }

    private static String jvm(String command) throws JMException {
        return (String) ManagementFactory.getPlatformMBeanServer().invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"), command, null, null);
    }
}
