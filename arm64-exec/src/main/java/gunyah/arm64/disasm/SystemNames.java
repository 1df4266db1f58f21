package gunyah.arm64.disasm;

import java.util.HashMap;
import java.util.Map;

/** Names of system registers and of SYS operations, from {@code system-names.txt}. */
final class SystemNames {
    private static final Map<Integer, String> REGISTERS = new HashMap<>();
    private static final Map<Integer, String> OPERATIONS = new HashMap<>();

    static {
        for (String line : Disassembler.lines("system-names.txt")) {
            String[] words = line.split(" ", 2);
            int key = Integer.parseInt(words[0], 16);
            (key >= 0x8000 ? REGISTERS : OPERATIONS).put(key, words[1]);
        }
    }

    private SystemNames() {
    }

    /**
     * {@return the name of a register}
     *
     * @param key op0 to op2 as in bits 20:5 of MRS
     */
    static String register(int key, boolean write) {
        String name = REGISTERS.get(key);
        if (name == null) {
            return "s%d_%d_c%d_c%d_%d".formatted(key >>> 14, key >>> 11 & 7, key >>> 7 & 15, key >>> 3 & 15, key & 7);
        }
        int both = name.indexOf('/');
        return both < 0 ? name : write ? name.substring(both + 1) : name.substring(0, both);
    }

    /** {@return an operation with {@code $} for its register, or null} {@code key} is op1 to op2, bits 18:5 of SYS. */
    static String operation(int key) {
        return OPERATIONS.get(key);
    }
}
