# Compiles the Android demo's resources with aapt2: source it after bindings.sh.
# shellcheck shell=bash

missing_for_android() {
  local kotlin
  kotlin=$(missing_for_kotlin)
  if [ -n "$kotlin" ]; then echo "$kotlin"; return; fi
  command -v aapt2 >/dev/null || { echo "aapt2: run scripts/install-tools as root (Debian's package aapt), or take it from the Android build tools"; return; }
  { command -v zip && command -v unzip; } >/dev/null || echo "zip and unzip: run scripts/install-tools as root"
}

# build_resources
# Sets ANDROID (a folder of its own in cargo's target). Makes ANDROID/generated (R.java) and ANDROID/config (what
# Robolectric reads) from the app's manifest and resources.
build_resources() {
  ANDROID=$TARGET/android
  local main=$ROOT/android-demo/app/src/main framework=$ANDROID/framework compiled=$ANDROID/compiled.zip
  mkdir -p "$ANDROID/config/com/android/tools"
  # The framework's resource table, in the form of an APK: what aapt2 links against.
  if [ ! -s "$ANDROID/framework.apk" ]; then
    rm -rf "$ANDROID/unpacked"
    mkdir -p "$ANDROID/unpacked"
    unzip -q -o "$framework"/android-all-12-*.jar resources.arsc AndroidManifest.xml -d "$ANDROID/unpacked"
    (cd "$ANDROID/unpacked" && zip -q -0 "$ANDROID/framework.apk.part" resources.arsc AndroidManifest.xml)
    mv "$ANDROID/framework.apk.part" "$ANDROID/framework.apk"
    rm -rf "$ANDROID/unpacked"
  fi
  # Gradle's plugin puts package and versions in; here this line does.
  sed 's|<manifest |<manifest package="org.satchel.demo" |; s|^    <application$|    <uses-sdk android:minSdkVersion="26" android:targetSdkVersion="35" />\n&|' \
    "$main/AndroidManifest.xml" >"$ANDROID/AndroidManifest.xml"
  aapt2 compile --dir "$main/res" -o "$compiled"
  rm -rf "$ANDROID/generated.fresh"
  mkdir -p "$ANDROID/generated.fresh"
  aapt2 link -I "$ANDROID/framework.apk" --manifest "$ANDROID/AndroidManifest.xml" --java "$ANDROID/generated.fresh" \
    -o "$ANDROID/resources.apk" --auto-add-overlay "$compiled"
  replace_changed "$ANDROID/generated.fresh" "$ANDROID/generated"
  printf '%s=%s\n' android_resource_apk "$ANDROID/resources.apk" android_merged_manifest "$ANDROID/AndroidManifest.xml" \
    android_custom_package org.satchel.demo >"$ANDROID/config/com/android/tools/test_config.properties"
}
