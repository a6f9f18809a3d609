import java.io.File;
import java.util.Arrays;
import javax.imageio.ImageIO;

/**
 * Compares two folders of pictures: java SamePictures.java FOLDER FOLDER. The same names must be there, and no colour of
 * any pixel may be further away than what another processor's arithmetic makes of it.
 */
public class SamePictures {
    private static final int ROUNDING = 8;

    public static void main(String[] folders) throws Exception {
        String[] names = new File(folders[0]).list(), others = new File(folders[1]).list();
        Arrays.sort(names);
        Arrays.sort(others);
        if (names.length == 0 || !Arrays.equals(names, others)) {
            System.err.println("not the same pictures: " + names.length + " and " + others.length);
            System.exit(1);
        }
        int different = 0;
        for (String name : names) {
            var one = ImageIO.read(new File(folders[0], name));
            var other = ImageIO.read(new File(folders[1], name));
            int furthest = one.getWidth() == other.getWidth() && one.getHeight() == other.getHeight() ? 0 : 255;
            for (int y = 0; furthest < 255 && y < one.getHeight(); y++) {
                for (int x = 0; x < one.getWidth(); x++) {
                    int a = one.getRGB(x, y), b = other.getRGB(x, y);
                    for (int shift = 0; shift < 32; shift += 8) {
                        furthest = Math.max(furthest, Math.abs((a >>> shift & 255) - (b >>> shift & 255)));
                    }
                }
            }
            if (furthest > ROUNDING) {
                different++;
                System.err.println(name + ": differs by up to " + furthest + " of 255");
            }
        }
        System.exit(different == 0 ? 0 : 1);
    }
}
