// Written for those who have the Android SDK; not run where this was written. See ../README.md.
plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.satchel.demo"
    compileSdk = 35
    defaultConfig {
        // what the phone's settings show: says nothing about who uses it
        applicationId = "app.plain.notes"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86", "x86_64") }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    kotlinOptions { jvmTarget = "17" }
    sourceSets["main"].apply {
        java.srcDir("../../target/bindings/kotlin")
        java.srcDir("../../ffi/kotlin/src/main/kotlin")
        jniLibs.srcDir("../../target/android/jniLibs")
    }
    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }
}

dependencies {
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    implementation("net.java.dev.jna:jna:5.18.1@aar")
    implementation("com.google.zxing:core:3.5.3")
}
