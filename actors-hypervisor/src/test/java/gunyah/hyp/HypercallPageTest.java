package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypercallArgument.Kind;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/hypercalls.md is the table; {@code -Dgunyah.docs.write=true} writes it anew. */
class HypercallPageTest {
    private static final Path PAGE = Path.of("../docs/hypercalls.md");
    private static final HypercallTable TABLE = new HypercallTable(Hypervisor.groups(null, null, null, null));
    private static final String HEAD = """
            # Hypercalls

            Written by `HypercallPageTest` from the table that dispatches the calls; do not edit. To write it anew:
            `mvn test -pl actors-hypervisor -am -Dtest=HypercallPageTest -Dsurefire.failIfNoSpecifiedTests=false \
            -Dgunyah.docs.write=true`.

            Call n is `HVC #(0x6000 + n)` with inputs from X0 and results from X0, or `HVC #0`/`SMC #0` with the SMCCC
            function id `0xC6008000 | n` in W0, inputs from X1 and results from X0. X0 is the error, 0 for success, unless
            said otherwise. `=0` and `=-1` are reserved inputs, checked in native calls only; `:32` and `:16` say that only
            so many low bits count. A capability answers ARGUMENT_INVALID (no id of this cspace), CSPACE_CAP_NULL,
            CSPACE_CAP_REVOKED, CSPACE_WRONG_OBJECT_TYPE, CSPACE_INSUFFICIENT_RIGHTS or OBJECT_STATE, in this order, before
            the call's own errors. Numbers that are not here answer -1.

            """;

    @Test
    void thePageInTheDocumentationIsTheTable() throws IOException {
        String page = page();
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(PAGE, page);
        }

        assertThat(Files.readString(PAGE)).as("docs/hypercalls.md; write it with -Dgunyah.docs.write=true")
                .isEqualTo(page);
    }

    @Test
    void everyInputAndResultHasItsName() {
        for (HypercallRow row : rows()) {
            long inputs = row.arguments().stream().filter(argument -> !reserved(argument)).count();
            assertThat(row.words().inputs()).as(row.name()).hasSize((int) inputs);
            assertThat(row.words().outputs()).as(row.name()).hasSize(row.results());
            assertThat(row.words().errors()).as(row.name()).doesNotHaveDuplicates().doesNotContain(HypError.OK);
        }
    }

    private static List<HypercallRow> rows() {
        List<HypercallRow> rows = new ArrayList<>();
        for (int number = 0; number < HypercallRow.TABLE_SIZE; number++) {
            if (TABLE.row(number) != null) {
                rows.add(TABLE.row(number));
            }
        }
        return rows;
    }

    private static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        page.append("| n | SMCCC id | name | inputs | objects: right, state | results | errors of the call |\n");
        page.append("|---|---|---|---|---|---|---|\n");
        rows().forEach(row -> page.append(line(row)));
        return page.toString();
    }

    private static String line(HypercallRow row) {
        String results = String.join(", ", row.words().outputs());
        if (row.successX0() != 0) {
            results = "X0 = 0x%x; ".formatted(row.successX0()) + results;
        }
        if (row.errorResult() != 0) {
            results += " (%d on failure)".formatted(row.errorResult());
        }
        String errors = row.words().errors().stream().map(HypError::name).collect(Collectors.joining(", "));
        return "| %02x | 0x%08X | %s | %s | %s | %s | %s |%n".formatted(row.number(), Smccc.HYPERCALL | row.number(),
                row.name(), inputs(row), objects(row), results, errors).replace("|  |", "| |").replace("|  |", "| |");
    }

    private static String inputs(HypercallRow row) {
        List<String> inputs = new ArrayList<>();
        int named = 0;
        for (HypercallArgument argument : row.arguments()) {
            inputs.add(switch (argument.kind()) {
                case RES0 -> "=0";
                case RES1 -> "=-1";
                case VALUE, CAPABILITY -> row.words().inputs().get(named++);
                case U32 -> row.words().inputs().get(named++) + ":32";
                case U16 -> row.words().inputs().get(named++) + ":16";
            });
        }
        return String.join(", ", inputs);
    }

    private static String objects(HypercallRow row) {
        List<String> objects = new ArrayList<>();
        for (HypercallArgument argument : row.arguments()) {
            if (argument.kind() == Kind.CAPABILITY) {
                String type = argument.type() == null ? "any" : argument.type().name();
                String state = argument.state() == RequiredState.ANY ? ""
                        : ", " + argument.state().name().toLowerCase(Locale.ROOT);
                objects.add("%s: %s%s".formatted(type, rights(argument), state));
            }
        }
        if (!row.words().note().isEmpty()) {
            objects.add(row.words().note());
        }
        return String.join("; ", objects);
    }

    private static String rights(HypercallArgument argument) {
        List<String> names = new ArrayList<>();
        int left = argument.rights();
        String prefix = argument.type() == null ? "OBJECT_" : argument.type().name() + "_";
        for (Field field : Rights.class.getFields()) {
            int bit = value(field);
            boolean any = field.getName().equals("OBJECT_ACTIVATE");
            if (Integer.bitCount(bit) == 1 && (left & bit) != 0 && (any || field.getName().startsWith(prefix))) {
                names.add(any ? "OBJECT_ACTIVATE" : field.getName().substring(prefix.length()));
                left &= ~bit;
            }
        }
        assertThat(left).as("rights without a name").isZero();
        return names.isEmpty() ? "no right" : String.join("+", names);
    }

    private static int value(Field field) {
        try {
            return field.getInt(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean reserved(HypercallArgument argument) {
        return argument.kind() == Kind.RES0 || argument.kind() == Kind.RES1;
    }
}
