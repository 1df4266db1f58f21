package gunyah.vmm.boot;

import gunyah.config.BadInput;
import java.util.List;

/** The kernel format of arm64 Linux (Documentation/arch/arm64/booting.rst): 64 bytes of header in front of the code. */
final class Arm64Image {
    private static final int HEADER_SIZE = 64;
    private static final int MAGIC = 0x644d5241;
    private static final int MAGIC_AT = 56;
    private static final int TEXT_OFFSET_AT = 8;
    private static final int IMAGE_SIZE_AT = 16;
    private static final int FLAGS_AT = 24;
    private static final int PE_AT = 60;
    private static final int FLAG_BIG_ENDIAN = 1;
    private static final int PAGE_SIZE_SHIFT = 1;
    private static final int PAGE_SIZE_MASK = 3;
    private static final int PAGES_16K = 2;
    private static final long BLOCK = 2L << 20;
    /** Images without a size are from before 3.17 and go here. */
    private static final long OLD_TEXT_OFFSET = 0x80000;

    private Arm64Image() {
    }

    static boolean matches(Bytes file) {
        return file.length() >= HEADER_SIZE && file.u32(MAGIC_AT) == MAGIC;
    }

    static GuestImage load(String name, Bytes file, Ram ram) {
        long imageSize = file.u64(IMAGE_SIZE_AT);
        long textOffset = imageSize == 0 ? OLD_TEXT_OFFSET : file.u64(TEXT_OFFSET_AT);
        long flags = file.u64(FLAGS_AT);
        if ((flags & FLAG_BIG_ENDIAN) != 0) {
            throw new BadInput(name + " is a big-endian kernel; only little-endian ones can run");
        }
        if ((flags >> PAGE_SIZE_SHIFT & PAGE_SIZE_MASK) == PAGES_16K) {
            throw new BadInput(name + " is a kernel for 16 KiB pages; the vCPUs have 4 KiB and 64 KiB pages");
        }
        if (imageSize < 0 || textOffset < 0 || textOffset >= BLOCK) {
            throw new BadInput("%s has a damaged header: text offset 0x%x, image size 0x%x"
                    .formatted(name, textOffset, imageSize));
        }
        checkComplete(name, file);
        long address = ram.base() + textOffset;
        long size = Math.max(imageSize, file.length());
        ram.require("the kernel " + name, address, size);
        return new GuestImage(address, List.of(GuestImage.Chunk.of(address, file.array())), address, address + size);
    }

    /** An image with an EFI stub lists its sections, which all must be in the file. */
    private static void checkComplete(String name, Bytes file) {
        int pe = file.u32(PE_AT);
        if (pe <= 0 || !file.contains(pe, 24) || file.u32(pe) != 0x4550) {
            return;
        }
        int sections = pe + 24 + file.u16(pe + 20);
        for (int i = 0; i < file.u16(pe + 6); i++) {
            int section = sections + i * 40;
            if (!file.contains(section, 40)) {
                throw new BadInput(name + " is cut off inside its header");
            }
            long end = (file.u32(section + 20) & 0xffff_ffffL) + (file.u32(section + 16) & 0xffff_ffffL);
            if (end > file.length()) {
                throw new BadInput("%s is cut off: it has %d bytes and should have %d"
                        .formatted(name, file.length(), end));
            }
        }
    }
}
