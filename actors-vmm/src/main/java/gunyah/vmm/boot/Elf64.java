package gunyah.vmm.boot;

import gunyah.config.BadInput;
import java.util.ArrayList;
import java.util.List;

/** ELF executables for AArch64 (ELF-64 object file format, version 1.5): loadable segments go to their physical address. */
final class Elf64 {
    private static final int HEADER_SIZE = 64;
    private static final int CLASS_AT = 4;
    private static final int CLASS_64 = 2;
    private static final int DATA_AT = 5;
    private static final int DATA_LITTLE = 1;
    private static final int TYPE_AT = 16;
    private static final int TYPE_EXEC = 2;
    private static final int TYPE_DYN = 3;
    private static final int MACHINE_AT = 18;
    private static final int MACHINE_AARCH64 = 183;
    private static final int ENTRY_AT = 24;
    private static final int PHOFF_AT = 32;
    private static final int PHENTSIZE_AT = 54;
    private static final int PHNUM_AT = 56;
    private static final int PH_SIZE = 56;
    private static final int PT_LOAD = 1;

    private Elf64() {
    }

    static boolean matches(Bytes file) {
        return file.startsWith(0x7f, 'E', 'L', 'F');
    }

    static GuestImage load(String name, Bytes file, Ram ram) {
        checkHeader(name, file);
        List<GuestImage.Chunk> chunks = new ArrayList<>();
        long virtualEntry = file.u64(ENTRY_AT);
        long entry = -1;
        long base = Long.MAX_VALUE;
        long end = 0;
        for (int i = 0; i < file.u16(PHNUM_AT); i++) {
            int header = programHeader(name, file, i);
            if (file.u32(header) != PT_LOAD || file.u64(header + 40) == 0) {
                continue;
            }
            long offset = file.u64(header + 8);
            long virtual = file.u64(header + 16);
            long address = file.u64(header + 24);
            long fileSize = file.u64(header + 32);
            long memorySize = file.u64(header + 40);
            if (!file.contains(offset, fileSize)) {
                throw new BadInput("%s is cut off: segment %d reaches beyond its %d bytes"
                        .formatted(name, i, file.length()));
            }
            if (fileSize > memorySize) {
                throw new BadInput("%s is damaged: segment %d is larger in the file than in memory".formatted(name, i));
            }
            ram.require("segment %d of %s".formatted(i, name), address, memorySize);
            if (virtualEntry >= virtual && virtualEntry - virtual < memorySize) {
                entry = address + (virtualEntry - virtual);
            }
            if (fileSize > 0) {
                chunks.add(new GuestImage.Chunk(address, file.array(), (int) offset, (int) fileSize));
            }
            base = Math.min(base, address);
            end = Math.max(end, address + memorySize);
        }
        if (end == 0) {
            throw new BadInput(name + " has nothing to load (an object file?)");
        }
        if (entry < 0) {
            if (!ram.contains(virtualEntry, 4)) {
                throw new BadInput("%s starts at 0x%x, which is in none of its segments".formatted(name, virtualEntry));
            }
            entry = virtualEntry;
        }
        return new GuestImage(entry, List.copyOf(chunks), base, end);
    }

    private static void checkHeader(String name, Bytes file) {
        if (file.length() < HEADER_SIZE) {
            throw new BadInput("%s is cut off: %d bytes are not even an ELF header".formatted(name, file.length()));
        }
        if (file.u8(CLASS_AT) != CLASS_64) {
            throw new BadInput(name + " is a 32-bit ELF file; a 64-bit one for AArch64 is needed");
        }
        if (file.u8(DATA_AT) != DATA_LITTLE) {
            throw new BadInput(name + " is a big-endian ELF file; only little-endian ones can run");
        }
        if (file.u16(MACHINE_AT) != MACHINE_AARCH64) {
            throw new BadInput("%s is an ELF file for %s; one for AArch64 is needed"
                    .formatted(name, machine(file.u16(MACHINE_AT))));
        }
        if (file.u16(TYPE_AT) != TYPE_EXEC && file.u16(TYPE_AT) != TYPE_DYN) {
            throw new BadInput(name + " is an ELF file that is not linked (an object file?)");
        }
    }

    private static int programHeader(String name, Bytes file, int index) {
        long at = file.u64(PHOFF_AT) + (long) index * file.u16(PHENTSIZE_AT);
        if (file.u16(PHENTSIZE_AT) < PH_SIZE || !file.contains(at, PH_SIZE)) {
            throw new BadInput(name + " is cut off or damaged: its program headers are not in the file");
        }
        return (int) at;
    }

    private static String machine(int number) {
        return switch (number) {
            case 3 -> "x86";
            case 40 -> "32-bit Arm";
            case 62 -> "x86-64";
            case 243 -> "RISC-V";
            default -> "machine number " + number;
        };
    }
}
