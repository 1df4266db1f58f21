package gunyah.cli;

import gunyah.config.BadInput;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gunyah fetch}: downloads guests that are not ours to ship. */
@Command(name = "fetch", mixinStandardHelpOptions = true, version = Main.VERSION,
        description = "Downloads Debian's arm64 cloud kernel, busybox and U-Boot into .guests and builds an initramfs. "
                + "Needs apt (a Debian host) and network; changes nothing outside .guests.")
final class FetchCommand implements Callable<Integer> {
    @Parameters(paramLabel = "WHAT", description = "debian")
    private String what;

    @Option(names = "--kernel", paramLabel = "VERSION", defaultValue = "6.1",
            description = "6.1 (default), 6.12 or all")
    private String kernel;

    private final Main.Surroundings surroundings;

    FetchCommand(Main.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (!what.equals("debian")) {
            throw new BadInput("cannot fetch '%s': known is debian".formatted(what));
        }
        Set<NamedGuest> guests = switch (kernel) {
            case "6.1" -> EnumSet.of(NamedGuest.DEBIAN);
            case "6.12" -> EnumSet.of(NamedGuest.DEBIAN_6_12);
            case "all" -> EnumSet.of(NamedGuest.DEBIAN, NamedGuest.DEBIAN_6_12);
            default -> throw new BadInput("option --kernel: '%s' is unknown, give 6.1, 6.12 or all".formatted(kernel));
        };
        DebianFetch fetch = new DebianFetch(surroundings.guests(), surroundings.err());
        fetch.fetch(guests.toArray(NamedGuest[]::new));
        for (NamedGuest guest : guests) {
            surroundings.err().println("run it with: ./gunyah run " + guest.label());
        }
        return ExitStatus.OK;
    }
}
