package gunyah.cli;

import gunyah.config.BadInput;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gunyah fetch}: downloads guests that are not ours to ship. */
@Command(name = "fetch", mixinStandardHelpOptions = true, version = Main.VERSION,
        description = "Downloads Debian's arm64 kernels, busybox and U-Boot into .guests and builds an initramfs for each. "
                + "Needs apt (a Debian host) and network; changes nothing outside .guests.")
final class FetchCommand implements Callable<Integer> {
    @Parameters(paramLabel = "WHAT", description = "debian")
    private String what;

    @Option(names = "--kernel", paramLabel = "VERSION", defaultValue = "6.1",
            description = "6.1 (default: cloud kernel), 6.12, generic (6.1), rt (6.1) or all")
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
        List<NamedGuest> debians = NamedGuest.debians();
        List<NamedGuest> guests = debians.stream().filter(g -> kernel.equals("all") || kernel.equals(g.kernel()))
                .toList();
        if (guests.isEmpty()) {
            throw new BadInput("option --kernel: '%s' is unknown, give %s or all".formatted(kernel,
                    debians.stream().map(NamedGuest::kernel).collect(Collectors.joining(", "))));
        }
        DebianFetch fetch = new DebianFetch(surroundings.guests(), surroundings.err());
        fetch.fetch(guests.toArray(NamedGuest[]::new));
        for (NamedGuest guest : guests) {
            surroundings.err().println("run it with: ./gunyah run " + guest.label());
        }
        return ExitStatus.OK;
    }
}
