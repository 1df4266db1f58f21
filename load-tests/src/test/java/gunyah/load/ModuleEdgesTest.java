package gunyah.load;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The drawing of ARCHITECTURE.md, executed over the compiled classes: dependencies go downwards only. */
class ModuleEdgesTest {
    private static final String MEMORY = "gunyah.memory..";
    private static final String CONFIG = "gunyah.config..";
    private static final String EXEC = "gunyah.arm64..";
    private static final String HYPERVISOR = "gunyah.hyp..";
    private static final String RM = "gunyah.rm..";
    private static final String RM_WIRE = "gunyah.rm.rpc";
    private static final String VMM = "gunyah.vmm..";
    private static JavaClasses classes;

    @BeforeAll
    static void readClasses() {
        classes = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("gunyah");
        assertThat(classes).as("classes found").hasSizeGreaterThan(100);
    }

    private static void uses(String module, String... allowed) {
        String[] ours = new String[allowed.length + 1];
        System.arraycopy(allowed, 0, ours, 0, allowed.length);
        ours[allowed.length] = module;
        noClasses().that().resideInAPackage(module).should().dependOnClassesThat(
                resideInAnyPackage("gunyah..").and(not(
                        resideInAnyPackage(ours)))).check(classes);
    }

    @Test
    void memoryUsesNothingOfOurs() {
        uses(MEMORY);
    }

    @Test
    void configUsesNothingOfOurs() {
        uses(CONFIG);
    }

    @Test
    void theExecutionEngineUsesMemoryOnly() {
        uses(EXEC, MEMORY);
    }

    @Test
    void theHypervisorUsesTheGroundAndTheEngine() {
        uses(HYPERVISOR, MEMORY, CONFIG, EXEC);
    }

    @Test
    void theResourceManagerAddsTheHypervisor() {
        uses(RM, MEMORY, CONFIG, EXEC, HYPERVISOR);
    }

    @Test
    void theVmmKnowsTheWireFormatOfTheResourceManagerAndNoMoreOfIt() {
        uses(VMM, MEMORY, CONFIG, EXEC, HYPERVISOR, RM_WIRE);
    }

    @Test
    void akkaStaysOutOfTheGround() {
        noClasses().that().resideInAnyPackage(MEMORY, CONFIG, EXEC).should().dependOnClassesThat()
                .resideInAnyPackage("akka..", "scala..").check(classes);
    }

    @Test
    void rawMemoryIsTouchedInOneModule() {
        noClasses().that().resideOutsideOfPackage(MEMORY).should().dependOnClassesThat()
                .haveFullyQualifiedName("jdk.internal.misc.Unsafe").orShould().dependOnClassesThat()
                .haveFullyQualifiedName("sun.misc.Unsafe").check(classes);
    }

    @Test
    void noNameSaysNothing() {
        classes().that().resideInAPackage("gunyah..").should()
                .haveSimpleNameNotEndingWith("Util").andShould().haveSimpleNameNotEndingWith("Utils")
                .andShould().haveSimpleNameNotEndingWith("Helper").andShould()
                .haveSimpleNameNotEndingWith("Impl").check(classes);
    }
}
