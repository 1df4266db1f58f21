package gunyah.hyp.vic;

/**
 * The registers with one bit (or two, or a byte) per interrupt line that distributor and redistributor share (IHI
 * 0069, 12.9). All methods work on one 32-bit register; {@code first} is the line of its lowest field, {@code end} that
 * after the last one of its array. Guarded by the controller's lock.
 */
final class LineRegisters {
    /** One bit per line. */
    enum Bank {
        IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER;

        /** {@return whether ones take interrupts back} */
        boolean withdraws() {
            return this == ICENABLER || this == ICPENDR || this == ICACTIVER;
        }
    }

    private LineRegisters() {
    }

    static int readBits(Bank bank, Lines lines, int first, int end) {
        int value = 0;
        for (int i = 0; i < 32 && first + i < end; i++) {
            if (readBit(bank, lines, first + i)) {
                value |= 1 << i;
            }
        }
        return value;
    }

    private static boolean readBit(Bank bank, Lines lines, int line) {
        return switch (bank) {
            case IGROUPR -> lines.is(line, Lines.GROUP1);
            case ISENABLER, ICENABLER -> lines.is(line, Lines.ENABLED);
            case ISPENDR, ICPENDR -> lines.pending(line);
            case ISACTIVER, ICACTIVER -> lines.is(line, Lines.ACTIVE);
        };
    }

    static void writeBits(Bank bank, Lines lines, int first, int end, int value) {
        for (int i = 0; i < 32 && first + i < end; i++) {
            boolean one = (value >>> i & 1) != 0;
            int line = first + i;
            switch (bank) {
                case IGROUPR -> lines.set(line, Lines.GROUP1, one);
                case ISENABLER -> lines.set(line, Lines.ENABLED, one || lines.is(line, Lines.ENABLED));
                case ICENABLER -> lines.set(line, Lines.ENABLED, !one && lines.is(line, Lines.ENABLED));
                case ISACTIVER -> lines.set(line, Lines.ACTIVE, one || lines.is(line, Lines.ACTIVE));
                case ICACTIVER -> lines.set(line, Lines.ACTIVE, !one && lines.is(line, Lines.ACTIVE));
                case ISPENDR -> {
                    if (one) {
                        lines.setPending(line, Lines.LEVEL_SOFTWARE);
                    }
                }
                case ICPENDR -> {
                    if (one) {
                        lines.clearPending(line, Lines.LEVEL_SOFTWARE);
                    }
                }
            }
        }
    }

    /** IPRIORITYR: {@code sizeBytes} 1, 2 or 4, one byte per line. */
    static int readPriority(Lines lines, int first, int end, int sizeBytes) {
        int value = 0;
        for (int i = 0; i < sizeBytes && first + i < end; i++) {
            value |= (lines.priority[first + i] & 0xFF) << 8 * i;
        }
        return value;
    }

    static void writePriority(Lines lines, int first, int end, int sizeBytes, int value) {
        for (int i = 0; i < sizeBytes && first + i < end; i++) {
            lines.priority[first + i] = (byte) (value >>> 8 * i & Priorities.MASK);
        }
    }

    /** ICFGR: two bits per line, the upper one is edge (1) or level (0). */
    static int readConfig(Lines lines, int first, int end) {
        int value = 0;
        for (int i = 0; i < 16 && first + i < end; i++) {
            value |= lines.is(first + i, Lines.EDGE_CONFIG) ? 2 << 2 * i : 0;
        }
        return value;
    }

    static void writeConfig(Lines lines, int first, int end, int value) {
        for (int i = 0; i < 16 && first + i < end; i++) {
            lines.configure(first + i, (value >>> 2 * i & 2) != 0);
        }
    }
}
